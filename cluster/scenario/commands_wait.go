package scenario

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/trace"
)

// withinDefault is how long, in virtual time, a wait without `within` waits.
const withinDefault = 30 * time.Second

// waitCondition returns "" when a condition holds, and else what is the case
// instead.
type waitCondition func(r *run, s *trace.State) (instead string)

// waitCommands wait for time to pass or for a condition.
func waitCommands() []declaration {
	return []declaration{{
		name: "wait", syntax: "wait D | wait leader [SEL] | wait no leader | wait converged | wait value N [on SEL]   [within D]",
		help: "wait for a time, or for a condition: up to 30s, or up to D", parse: parseWait,
	}}
}

// waitChoices is what can stand after wait.
var waitChoices = []string{"a duration", "leader", "no leader", "converged", "value"}

func parseWait(p *lineParser) (action, error) {
	switch next := p.peek(); {
	case next == "":
		return nil, p.failMissing(orList(waitChoices))
	case next[0] >= '0' && next[0] <= '9':
		d, err := p.duration("a duration")
		return func(r *run) error { r.sleep(d); return nil }, err
	}
	until, what, err := p.waitCondition()
	if err != nil {
		return nil, err
	}
	limit, err := p.within(withinDefault)
	return func(r *run) error {
		return failWanting(fmt.Sprintf("%s within %s", what, limit), r.wait(limit, until, false))
	}, err
}

// waitCondition takes a condition and returns it with its description.
func (p *lineParser) waitCondition() (waitCondition, string, error) {
	w, err := p.next("a condition")
	if err != nil {
		return nil, "", err
	}
	switch w.text {
	case "leader":
		if !p.hasMore() || p.peek() == "within" {
			return func(_ *run, s *trace.State) string { return s.LeaderProblem() }, "a leader", nil
		}
		sel, err := p.selectorOf("leader")
		return func(r *run, s *trace.State) string { return isLeader(r, s, sel) }, "leader " + sel.text, err
	case "no":
		return isLeaderless, "no leader", p.expect("leader", "after no")
	case "converged":
		return func(_ *run, s *trace.State) string { return NotConverged(s) }, "convergence", nil
	case "value":
		n, err := p.integer("a value", -1<<63, 1<<63-1)
		if err != nil {
			return nil, "", err
		}
		on, err := p.on()
		return func(r *run, s *trace.State) string { return valueIs(r, s, on, n) }, fmt.Sprintf("value %d", n), err
	}
	hint := didYouMean(w.text, []string{"leader", "no", "converged", "value"})
	return nil, "", p.fail(w, "cannot wait for %q%s; use %s", w.text, hint, orList(waitChoices))
}

// on takes "on SEL"; without it, the nodes that are up are meant.
func (p *lineParser) on() (selector, error) {
	if !p.accept("on") {
		return selector{text: "up", parts: []string{"up"}}, nil
	}
	return p.selector()
}

// isLeader returns "" if one of the selected nodes leads, and else who does.
func isLeader(r *run, s *trace.State, sel selector) string {
	if why := s.LeaderProblem(); why != "" {
		return "no leader: " + why
	}
	ids, err := r.lookUp(sel)
	if err != nil {
		return err.Error()
	}
	for _, id := range ids {
		if s.LeaderNode().ID == id {
			return ""
		}
	}
	return "leader " + s.LeaderNode().ID
}

// isLeaderless returns "" if no node leads, and otherwise the leader. A paused node may believe
// it leads, but does not count.
func isLeaderless(_ *run, s *trace.State) string {
	if leader := s.LeaderNode(); leader != nil && leader.Process == trace.Up {
		return "leader " + leader.ID
	}
	return ""
}

// NotConverged returns "" if the members that are up hold the same log, all of it
// committed, and the same value, and else which nodes do not.
func NotConverged(s *trace.State) string {
	if why := s.LeaderProblem(); why != "" {
		return "no leader: " + why
	}
	leader := s.LeaderNode()
	var behind []string
	for i := range s.Nodes {
		n := &s.Nodes[i]
		if n.Process == trace.Up && !leader.IsOutside(n.ID) && (n.LastIndex() != leader.LastIndex() || n.LastTerm() != leader.LastTerm() ||
			n.Commit != leader.Commit || n.Value != leader.Value || n.Commit != n.LastIndex()) {
			behind = append(behind, fmt.Sprintf("%s at entry %d, commit %d, value %d", n.ID, n.LastIndex(), n.Commit, n.Value))
		}
	}
	return strings.Join(behind, "; ")
}

// valueIs returns "" if the selected nodes hold a value, and else what they hold.
func valueIs(r *run, s *trace.State, on selector, value int64) string {
	return r.nodesAre(s, on, func(n *trace.Node) string {
		if n.Value == value {
			return ""
		}
		return strconv.FormatInt(n.Value, 10)
	})
}

// nodesAre joins what is wrong with the selected nodes, "" if nothing is.
func (r *run) nodesAre(s *trace.State, on selector, wrong func(*trace.Node) string) string {
	ids, err := r.lookUp(on)
	if err != nil {
		return err.Error()
	}
	var all []string
	for _, id := range ids {
		n := s.Node(id)
		if n == nil {
			all = append(all, id+" is not a member")
		} else if text := wrong(n); text != "" {
			all = append(all, text+" on "+id)
		}
	}
	return strings.Join(all, ", ")
}

// lookUp resolves a selector, but its nodes do not count as named.
func (r *run) lookUp(s selector) ([]string, error) {
	named := r.named
	defer func() { r.named = named }()
	return s.resolve(r)
}
