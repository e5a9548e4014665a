package scenario

import (
	"fmt"
	"slices"
	"strconv"

	"capsize/cluster/trace"
)

// operators compare what is with what is expected.
var operators = []string{"=", "!=", "<", "<=", ">", ">="}

// holds says whether got stands to want as the operator says.
func holds(got int64, operator string, want int64) bool {
	switch operator {
	case "=":
		return got == want
	case "!=":
		return got != want
	case "<":
		return got < want
	case "<=":
		return got <= want
	case ">":
		return got > want
	}
	return got >= want
}

// expectation looks at the cluster and says what was wanted and what is so.
type expectation func(x *execution, s *trace.State) (want, got string)

// expectCommands say what must be so.
func expectCommands() []command {
	return []command{{
		name: "expect",
		syntax: "expect value N [on SEL] | leader SEL|none | role SEL ROLE | term OP N | commit OP N [on SEL] | " +
			"log SEL same|diverged | last OUTCOME | ops OUTCOME OP N | checks ok | violation CHECK",
		help: "what must be so now; the run fails if it is not", parse: parseExpect,
	}}
}

// expectations are what can be expected, by their first word. An expectation
// whose got is "" holds.
var expectations = []struct {
	word  string
	parse func(*reader) (expectation, error)
}{
	{"value", expectValue},
	{"leader", expectLeader},
	{"role", expectRole},
	{"term", expectTerm},
	{"commit", expectCommit},
	{"log", expectLog},
	{"last", expectLast},
	{"ops", expectOps},
	{"checks", expectChecks},
	{"violation", expectViolation},
}

func parseExpect(r *reader) (action, error) {
	words := make([]string, len(expectations))
	for i, e := range expectations {
		words[i] = e.word
	}
	what, err := r.oneOf("what to expect", words...)
	if err != nil {
		return nil, err
	}
	e, err := expectations[slices.Index(words, what)].parse(r)
	return func(x *execution) error {
		if want, got := e(x, x.state()); got != "" {
			return &Failure{Want: want, Got: got}
		}
		return nil
	}, err
}

func expectValue(r *reader) (expectation, error) {
	n, err := r.whole("a value", -1<<63, 1<<63-1)
	if err != nil {
		return nil, err
	}
	on, err := r.on()
	return func(x *execution, s *trace.State) (string, string) {
		return fmt.Sprintf("value %d on %s", n, on.text), valueIs(x, s, on, n)
	}, err
}

func expectLeader(r *reader) (expectation, error) {
	if r.skip("none") {
		return func(x *execution, s *trace.State) (string, string) { return "no leader", nobodyLeads(x, s) }, nil
	}
	sel, err := r.selector()
	return func(x *execution, s *trace.State) (string, string) {
		return "leader " + sel.text, leadsOneOf(x, s, sel)
	}, err
}

func expectRole(r *reader) (expectation, error) {
	sel, err := r.selector()
	if err != nil {
		return nil, err
	}
	role, err := r.oneOf("a role", "follower", "leader", "candidate", "down")
	return func(x *execution, s *trace.State) (string, string) {
		return sel.text + " " + role, x.nodesAre(s, sel, func(n *trace.Node) string {
			is := string(n.Role)
			if !n.Process.Running() {
				is = "down"
			}
			if is == role {
				return ""
			}
			return is
		})
	}, err
}

// comparison takes an operator and a number.
func (r *reader) comparison() (operator string, n int64, err error) {
	if operator, err = r.oneOf("a comparison", operators...); err != nil {
		return "", 0, err
	}
	n, err = r.whole("a number", -1<<63, 1<<63-1)
	return operator, n, err
}

func expectTerm(r *reader) (expectation, error) {
	operator, n, err := r.comparison()
	return func(_ *execution, s *trace.State) (want, got string) {
		term := int64(HighestTerm(s))
		if holds(term, operator, n) {
			return "", ""
		}
		return fmt.Sprintf("term %s %d", operator, n), strconv.FormatInt(term, 10)
	}, err
}

func expectCommit(r *reader) (expectation, error) {
	operator, n, err := r.comparison()
	if err != nil {
		return nil, err
	}
	if !r.more() {
		return func(_ *execution, s *trace.State) (want, got string) {
			if holds(int64(s.Commit), operator, n) {
				return "", ""
			}
			return fmt.Sprintf("commit %s %d", operator, n), strconv.FormatUint(s.Commit, 10)
		}, nil
	}
	on, err := r.on()
	return func(x *execution, s *trace.State) (string, string) {
		return fmt.Sprintf("commit %s %d on %s", operator, n, on.text), x.nodesAre(s, on, func(n2 *trace.Node) string {
			if holds(int64(n2.Commit), operator, n) {
				return ""
			}
			return strconv.FormatUint(n2.Commit, 10)
		})
	}, err
}

// expectLog compares logs where they overlap: the same, or diverged, is a matter
// of two entries at one index, not of one log being longer.
func expectLog(r *reader) (expectation, error) {
	sel, err := r.selector()
	if err != nil {
		return nil, err
	}
	how, err := r.oneOf("how logs compare", "same", "diverged")
	return func(x *execution, s *trace.State) (want, got string) {
		ids, err := x.peek(sel)
		if err != nil {
			return "log " + how, err.Error()
		}
		at := uint64(0)
		if len(ids) == 1 {
			// One log alone is compared with that of the leader.
			if leader := s.LeaderNode(); leader != nil {
				ids = append(ids, leader.ID)
			}
		}
		for i, a := range ids {
			for _, b := range ids[:i] {
				at = max(at, divergence(s.Node(a), s.Node(b)))
			}
		}
		switch {
		case how == "same" && at > 0:
			return "the same log", fmt.Sprintf("different entries at %d", at)
		case how == "diverged" && at == 0:
			return "logs that diverge", "the same log"
		}
		return "", ""
	}, err
}

// divergence returns the first index at which two logs hold different entries, 0
// if there is none.
func divergence(a, b *trace.Node) uint64 {
	if a == nil || b == nil {
		return 0
	}
	for i := max(a.First, b.First); i <= min(a.LastIndex(), b.LastIndex()); i++ {
		x, okX := a.Entry(i)
		y, okY := b.Entry(i)
		if okX && okY && x.Term != y.Term {
			return i
		}
	}
	return 0
}

var outcomes = []string{string(trace.OK), string(trace.Failed), string(trace.Unknown)}

func expectLast(r *reader) (expectation, error) {
	outcome, err := r.oneOf("an outcome", outcomes...)
	return func(x *execution, _ *trace.State) (want, got string) {
		switch last := x.lastOp(); {
		case last.Outcome == trace.Pending:
			return "last " + outcome, "no operation has ended yet"
		case string(last.Outcome) != outcome:
			got = string(last.Outcome)
			if last.Why != "" {
				got += ": " + last.Why
			}
			return "last " + outcome, got
		}
		return "", ""
	}, err
}

func expectOps(r *reader) (expectation, error) {
	outcome, err := r.oneOf("an outcome", outcomes...)
	if err != nil {
		return nil, err
	}
	operator, n, err := r.comparison()
	return func(_ *execution, s *trace.State) (want, got string) {
		counts := []uint64{s.Clients.OK, s.Clients.Failed, s.Clients.Unknown}
		count := int64(counts[slices.Index(outcomes, outcome)])
		if holds(count, operator, n) {
			return "", ""
		}
		return fmt.Sprintf("ops %s %s %d", outcome, operator, n), strconv.FormatInt(count, 10)
	}, err
}

// HighestTerm returns the highest term that any node has on disk.
func HighestTerm(s *trace.State) (term uint64) {
	for i := range s.Nodes {
		term = max(term, s.Nodes[i].Term)
	}
	return term
}
