package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
)

// withinDefault is how long a wait waits when it does not say, in virtual time.
const withinDefault = 30 * time.Second

// condition is something to wait for. It returns "" when it holds, and else what
// is the case instead.
type condition func(x *execution, s *trace.State) (instead string)

// waitCommands wait for what is to happen.
func waitCommands() []command {
	return []command{{
		name: "wait", syntax: "wait D | wait leader [SEL] | wait no leader | wait converged | wait value N [on SEL]   [within D]",
		help: "wait for so long, or until it is so, for at most 30s or D", parse: parseWait,
	}}
}

func parseWait(r *reader) (action, error) {
	const choices = "a duration, or one of leader, no leader, converged, value"
	switch next := r.peek(); {
	case next == "":
		return nil, r.fail(r.end(), "what to wait for is missing: %s", choices)
	case next[0] >= '0' && next[0] <= '9':
		d, err := r.duration("how long to wait")
		return func(x *execution) error { x.sleep(d); return nil }, err
	}
	w, _ := r.take("what to wait for")
	until, what, err := r.condition(w, choices)
	if err != nil {
		return nil, err
	}
	within := withinDefault
	if r.skip("within") {
		if within, err = r.duration("for how long to wait at most"); err != nil {
			return nil, err
		}
	}
	return func(x *execution) error { return x.wait(what, within, until) }, nil
}

func (r *reader) condition(w word, choices string) (condition, string, error) {
	switch w.text {
	case "leader":
		if !r.more() || r.peek() == "within" {
			return leads, "a leader", nil
		}
		s, err := r.selector()
		return func(x *execution, st *trace.State) string { return leadsOneOf(x, st, s) }, s.text + " leads", err
	case "no":
		_, err := r.oneOf("no what", "leader")
		return nobodyLeads, "no leader", err
	case "converged":
		return func(_ *execution, s *trace.State) string { return NotConverged(s) }, "all nodes that run hold the same, all of it committed", nil
	case "value":
		n, err := r.whole("a value", -1<<63, 1<<63-1)
		if err != nil {
			return nil, "", err
		}
		on, err := r.on()
		return func(x *execution, st *trace.State) string { return valueIs(x, st, on, n) }, fmt.Sprintf("value %d", n), err
	}
	return nil, "", r.fail(w, "%q is nothing to wait for: %s%s", w.text, choices, didYouMean(w.text, []string{"leader", "no", "converged", "value"}))
}

// on takes "on SEL"; without it, all nodes that are up are meant.
func (r *reader) on() (selector, error) {
	if !r.skip("on") {
		return selector{text: "up", parts: []string{"up"}}, nil
	}
	return r.selector()
}

func leads(_ *execution, s *trace.State) string { return s.LeaderProblem() }

func leadsOneOf(x *execution, s *trace.State, sel selector) string {
	if why := s.LeaderProblem(); why != "" {
		return "no leader: " + why
	}
	ids, err := x.peek(sel)
	if err != nil {
		return err.Error()
	}
	for _, id := range ids {
		if s.LeaderNode().ID == id {
			return ""
		}
	}
	return s.LeaderNode().ID + " leads"
}

func nobodyLeads(_ *execution, s *trace.State) string {
	if leader := s.LeaderNode(); leader != nil {
		return leader.ID + " leads"
	}
	return ""
}

// NotConverged returns why the nodes that are up do not hold the same log, all of
// it committed, and the same value; "" if they do.
func NotConverged(s *trace.State) string {
	if why := s.LeaderProblem(); why != "" {
		return "no leader: " + why
	}
	leader := s.LeaderNode()
	var behind []string
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process == trace.Up && (n.LastIndex() != leader.LastIndex() || n.LastTerm() != leader.LastTerm() ||
			n.Commit != leader.Commit || n.Value != leader.Value || n.Commit != n.LastIndex()) {
			behind = append(behind, fmt.Sprintf("%s holds %d entries, %d committed, value %d", n.ID, n.LastIndex(), n.Commit, n.Value))
		}
	}
	return strings.Join(behind, "; ")
}

func valueIs(x *execution, s *trace.State, on selector, value int64) string {
	return x.nodesAre(s, on, func(n *trace.Node) string {
		if n.Value == value {
			return ""
		}
		return strconv.FormatInt(n.Value, 10)
	})
}

// nodesAre returns what is wrong with the nodes selected, each by its name.
func (x *execution) nodesAre(s *trace.State, on selector, wrong func(*trace.Node) string) string {
	ids, err := x.peek(on)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, id := range ids {
		n := s.Node(id)
		if n == nil {
			all = append(all, id+" is gone")
		} else if text := wrong(n); text != "" {
			all = append(all, text+" on "+id)
		}
	}
	return strings.Join(all, ", ")
}

// peek resolves a selector without naming the nodes.
func (x *execution) peek(s selector) ([]string, error) {
	named := x.named
	defer func() { x.named = named }()
	return s.resolve(x)
}

// stageCommands speak to whoever watches.
func stageCommands() []command {
	return []command{
		{name: "speed", syntax: "speed FACTOR|max|auto", help: "how fast time runs on stage; a run without a screen takes no notice", parse: parseSpeed},
		{name: "say", syntax: "say TEXT | say.LANG TEXT", help: "a caption for whoever watches; say.zh the same in Chinese", parse: wordsParser(trace.KindCaption)},
		{name: "chapter", syntax: "chapter TEXT | chapter.LANG TEXT", help: "a new part begins; chapter.zh its name in Chinese", parse: wordsParser(trace.KindChapter)},
		{name: "step", syntax: "step [TEXT]", help: "on stage, wait for a key; without a screen, go on", parse: func(r *reader) (action, error) {
			text := r.rest()
			return func(x *execution) error { x.stage.Step(x.c, text); return nil }, nil
		}},
		{name: "let", syntax: "let NAME = SEL", help: "remember which nodes are selected now, as $NAME", parse: func(r *reader) (action, error) {
			w, err := r.take("a name")
			if err != nil {
				return nil, err
			}
			if !nameForm.MatchString(w.text) {
				return nil, r.fail(w, "%q cannot be a name: 1 to 32 letters, digits, dots, underscores and hyphens", w.text)
			}
			if _, err := r.oneOf("what stands between a name and the nodes", "="); err != nil {
				return nil, err
			}
			s, err := r.selector()
			r.scope.names = append(r.scope.names, w.text)
			return func(x *execution) error {
				ids, err := s.resolve(x)
				x.names[w.text] = ids
				return err
			}, err
		}},
		{name: "chaos", syntax: "chaos [network] [nodes] [disk] [membership] [every D] | chaos off", help: "random harm within what Raft survives, from the seed", parse: parseChaos},
	}
}

func parseSpeed(r *reader) (action, error) {
	speed := 0.0
	switch {
	case r.skip("max"):
		speed = vtime.Max
	case r.skip("auto"):
		speed = SpeedAuto
	default:
		var err error
		if speed, err = r.number("a speed, or max or auto", 0.0001, 10_000); err != nil {
			return nil, err
		}
	}
	return func(x *execution) error { x.stage.Speed(speed); return nil }, nil
}

// caption takes the rest of the line, which must say something.
func (r *reader) caption() (string, error) {
	end := r.end()
	text := r.rest()
	if text == "" {
		return "", r.fail(end, "the text is missing")
	}
	return text, nil
}

// wordsParser returns what reads words for whoever watches: in the language of the
// scenario or, with the language behind a dot, what the words before it are there.
func wordsParser(kind trace.Kind) func(r *reader) (action, error) {
	return func(r *reader) (action, error) {
		name, language, translated := strings.Cut(r.words[0].text, ".")
		if translated && !nameForm.MatchString(language) {
			return nil, r.fail(r.words[0], "%q names no language: %s, or %s.zh", r.words[0].text, name, name)
		}
		text, err := r.caption()
		return func(x *execution) error { x.c.Note(kind, language, text); return nil }, err
	}
}
