package scenario

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"capsize/cluster"
	"capsize/cluster/trace"
)

// goodHandLines hold every command by hand, in each of its forms.
var goodHandLines = strings.Split(strings.TrimSpace(`
hold n1 -> n2
hold all
hold all -> n2 only append,vote
hold all only vote
release
deliver #12
deliver #12 #13 twice # both
deliver n1 -> n2
deliver n1 <-> n2 append,heartbeat reply nth 2
deliver vote prevote
deliver all
deliver request
drop #7
drop leader -> followers append
drop vote reply
fire n2 election
fire leader heartbeat
fire leader lease
fire n1 -> n2 deadline
fire n1 -> others append,vote deadline
`), "\n")

// handStart is a cluster of three nodes that n1 leads, with every link held and nothing waiting.
const handStart = `nodes 3
wait leader
transfer n1
wait leader n1
increment
wait converged
hold all
try deliver all
try deliver all
`

// handElection makes n2 the leader: n3 gives up on n1, and grants n2 its vote. n1 hears nothing.
const handElection = `fire n3 election
drop prevote
fire n2 election
deliver n2 -> n3 prevote
deliver n3 -> n2 prevote
deliver n2 -> n3 vote
deliver n3 -> n2 vote reply
drop n2 -> n1
`

func TestHandPlayedElection(t *testing.T) {
	failures, state := play(t, handStart+handElection+"expect leader n2\nexpect role n1 leader\nexpect role n3 follower")
	if len(failures) > 0 {
		t.Fatalf("%v", &failures[0])
	}
	if took := state.At - state.LeaderTerms[len(state.LeaderTerms)-1].From; took > time.Microsecond {
		t.Errorf("%s passed after the election", took)
	}
}

func TestHandRefusals(t *testing.T) {
	for _, c := range []struct{ line, want string }{
		{"deliver vote", `no waiting message matches "vote" now`},
		{"deliver n1 -> n2 heartbeat", `no waiting message matches "n1 -> n2 heartbeat" now`},
		{"drop all", `no waiting message matches "all" now`},
		{"deliver #99999", "#99999 is not waiting: it was never sent, or is long gone"},
		{"fire n1 election", "n1 leads: a leader has no election timer"},
		{"fire n2 lease", "n2 does not lead: only a leader has a lease"},
		{"fire n2 -> n3 deadline", "n2 is not waiting for a reply from n3"},
		{"fire all election", `"all" selects 3 nodes now (n1,n2,n3); name one`},
		{"release\nrelease", "no link is held: hold all holds every link"},
		{"release\ndeliver append", "nothing is waiting: no link is held; hold all holds every link"},
		{"async increment\ndeliver append nth 3", `only 2 waiting messages match "append nth 3" now`},
		{"pause n2\nasync increment\ndeliver n1 -> n2 append", "n2 is paused, so nothing gets in or out: resume it first"},
	} {
		failures, _ := play(t, handStart+c.line)
		if len(failures) != 1 || !strings.HasSuffix(failures[0].Got, c.want) {
			t.Errorf("%q: %+v, want %s", c.line, failures, c.want)
		}
	}
}

func TestGonePacketSaysWhereItWent(t *testing.T) {
	for verb, want := range map[string]string{"deliver": "is not waiting: it was delivered at 0:", "drop": "(dropped by hand)"} {
		s := parse(t, handStart+"async increment\n"+verb+" n1 -> n2 append")
		failures, state := carryOut(t, s, noPresenter{}, func(trace.Event) {})
		i := slices.IndexFunc(state.InFlight, func(f trace.InFlight) bool {
			return f.To == "n2" && f.Kind == "append" && !f.Reply && f.Entries == 1 && f.Status != trace.Sent && f.EndedAt > state.At-time.Microsecond
		})
		if len(failures) > 0 || i < 0 {
			t.Fatalf("%s: %v, no such packet", verb, failures)
		}
		if got := whyNotWaiting(&state, state.InFlight[i].ID); !strings.Contains(got, want) {
			t.Errorf("%s: %q, want %q in it", verb, got, want)
		}
	}
}

func TestTriedDeliveryOfWhatIsGoneLeavesNoLine(t *testing.T) {
	_, state := play(t, handStart+"try deliver vote\ntry fire n1 election")
	var text []string
	for _, line := range state.Story {
		text = append(text, line.Text)
	}
	if story := strings.Join(text, "\n"); strings.Contains(story, "waiting message") || !strings.Contains(story, "has no election timer") {
		t.Errorf("the story:\n%s", story)
	}
}

// typeLines types lines into a session while the clock stands still.
func typeLines(t *testing.T, s *Session, lines string) {
	t.Helper()
	for line := range strings.Lines(lines) {
		parsed, err := s.Parse(strings.TrimSpace(line))
		if err != nil {
			t.Fatal(err)
		}
		ended := make(chan End, 1)
		s.Start(parsed, func(e End) { ended <- e })
		select {
		case e := <-ended:
			if e.Err != nil && !IsTried(e.Err) {
				t.Fatalf("%s: %v", line, e.Err)
			}
		default:
			if !parsed.IsAsync() {
				t.Fatalf("%s: still running although the clock stands still", line)
			}
		}
	}
}

// A session played by hand, by the numbers of its packets, is a scenario that another run repeats.
func TestSavedHandSessionRepeats(t *testing.T) {
	settings := cluster.DefaultSettings()
	settings.Storage = cluster.Memory
	c, err := cluster.Open(cluster.Config{Nodes: 3, Settings: settings})
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	}()
	c.AwaitLeader(10 * time.Second)
	if err := c.Clock().Advance(time.Second); err != nil {
		t.Fatal(err)
	}
	s := NewSession(c, 1, nil)
	st := c.Trace().State()
	leader := st.LeaderNode().ID
	others := slices.DeleteFunc([]string{"n1", "n2", "n3"}, func(id string) bool { return id == leader })
	typeLines(t, s, "hold all\ntry deliver all\ntry deliver all\nfire "+others[1]+" election\n")
	deliver := func(verb, from, to, kind string) {
		t.Helper()
		state := c.Trace().State()
		i := slices.IndexFunc(state.Waiting, func(f trace.InFlight) bool { return f.From == from && f.To == to && f.Kind == kind })
		if i < 0 {
			t.Fatalf("no %s from %s to %s waits", kind, from, to)
		}
		typeLines(t, s, fmt.Sprintf("%s #%d\n", verb, state.Waiting[i].ID))
	}
	deliver("drop", others[1], others[0], "prevote")
	typeLines(t, s, "fire "+others[0]+" election\n")
	for _, kind := range []string{"prevote", "vote"} {
		deliver("deliver", others[0], others[1], kind)
		deliver("deliver", others[1], others[0], kind)
	}
	typeLines(t, s, "expect leader "+others[0]+"\n")
	text := s.Save(3, nil)
	if strings.Contains(text, "#") || !strings.Contains(text, fmt.Sprintf("deliver %s -> %s vote request\n", others[0], others[1])) {
		t.Errorf("the saved session:\n%s", text)
	}
	for range 5 {
		if failures, state := play(t, text); len(failures) > 0 || state.LeaderNode().ID != others[0] {
			t.Fatalf("repeating it: %+v\n%s", failures, text)
		}
	}
}

func TestHandStepsAreThoseBeforeATry(t *testing.T) {
	s := parse(t, "nodes 3\nhold all\nstep\ntry deliver append\nstep now\ndeliver append\n"+
		"ask Who?\nchoice n1 when leader n1\nchoice n2 when leader n2\nstep\ntry fire n1 election\nbecause it is so\nbecause.zh so\nsay done\n"+
		"ask Who?\nchoice n1 when leader n1\nchoice n2 when leader n2\nbecause it is so\nstep\ntry async add 1\nstep")
	want := []bool{true, false, true, false, false, false}
	if got := s.HandSteps(); !slices.Equal(got, want) {
		t.Errorf("the hand steps are %v, want %v", got, want)
	}
}
