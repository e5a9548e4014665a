package scenario

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"capsize/cluster/trace"
)

// expectation looks at the cluster and returns what was wanted and what is the case.
// It holds if got is "".
type expectation func(r *run, s *trace.State) (want, got string)

// expectCommands check the cluster now, or within a time limit.
func expectCommands() []declaration {
	return []declaration{{
		name: "expect",
		syntax: "expect value N [on SEL] | leader SEL|none | role SEL ROLE | term OP N | commit OP N [on SEL] | " +
			"log SEL same|diverged | last OUTCOME | ops OUTCOME OP N | checks ok | violation CHECK   [within D] | expect refused COMMAND",
		help: "fail the run unless this holds now, or at some moment within D; without on SEL, value is the leader's", parse: parseExpect,
	}}
}

// expectations are the forms of expect, by the word after it.
var expectations = []struct {
	word  string
	parse func(*lineParser) (expectation, error)
	// isVerdict is set if it reads the verdicts of the checks.
	isVerdict bool
}{
	{"value", expectValue, false},
	{"leader", expectLeader, false},
	{"role", expectRole, false},
	{"term", expectTerm, false},
	{"commit", expectCommit, false},
	{"log", expectLog, false},
	{"last", expectLast, false},
	{"ops", expectOps, false},
	{"checks", expectChecks, true},
	{"violation", expectViolation, true},
}

func parseExpect(p *lineParser) (action, error) {
	word, err := p.choice("an expectation", append(expectationWords(), "refused")...)
	if err != nil {
		return nil, err
	}
	if word == "refused" {
		return parseExpectRefused(p)
	}
	c, err := p.condition(word)
	return func(r *run) error { return r.expect(c.holds, c.limit, c.isVerdict) }, err
}

// expectationWords returns the words with which expectations begin.
func expectationWords() []string {
	words := make([]string, len(expectations))
	for i, e := range expectations {
		words[i] = e.word
	}
	return words
}

// condition is an expectation with its time.
type condition struct {
	holds     expectation
	isVerdict bool
	timed     bool          // it has a within,
	limit     time.Duration // which is this long
}

// condition takes what follows the word of an expectation.
func (p *lineParser) condition(word string) (condition, error) {
	one := expectations[slices.Index(expectationWords(), word)]
	holds, err := one.parse(p)
	if err != nil {
		return condition{}, err
	}
	timed := p.peek() == "within"
	limit, err := p.within(0)
	return condition{holds: holds, isVerdict: one.isVerdict, timed: timed, limit: limit}, err
}

// within parses "within D". Without it, within returns most.
func (p *lineParser) within(most time.Duration) (time.Duration, error) {
	if !p.accept("within") {
		return most, nil
	}
	return p.duration("a time limit")
}

// expect returns a failure unless an expectation holds now, or at some moment within limit.
func (r *run) expect(holds expectation, limit time.Duration, isVerdict bool) error {
	want := ""
	err := r.wait(limit, func(r *run, s *trace.State) (instead string) {
		want, instead = holds(r, s)
		return instead
	}, isVerdict)
	if err != nil && limit > 0 {
		want += fmt.Sprintf(" within %s", limit)
	}
	return failWanting(want, err)
}

// operators compare the value that is found with the one that is expected.
var operators = []string{"=", "!=", "<", "<=", ">", ">="}

// compares reports whether got and want stand in the relation of an operator.
func compares(got int64, operator string, want int64) bool {
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

// comparison takes an operator and a number.
func (p *lineParser) comparison() (operator string, n int64, err error) {
	if operator, err = p.choice("a comparison", operators...); err != nil {
		return "", 0, err
	}
	n, err = p.integer("a number", -1<<63, 1<<63-1)
	return operator, n, err
}

func expectValue(p *lineParser) (expectation, error) {
	n, err := p.integer("a value", -1<<63, 1<<63-1)
	if err != nil {
		return nil, err
	}
	if p.peek() == "on" {
		on, err := p.on()
		return func(r *run, s *trace.State) (string, string) {
			return fmt.Sprintf("value %d on %s", n, on.text), valueIs(r, s, on, n)
		}, err
	}
	p.accept("on") // the word may be a misspelt "on"
	return func(_ *run, s *trace.State) (want, got string) {
		want = fmt.Sprintf("value %d", n)
		switch leader := s.LeaderNode(); {
		case leader == nil:
			return want, "no leader: " + s.LeaderProblem()
		case leader.Value != n:
			return want, fmt.Sprintf("%d on leader %s", leader.Value, leader.ID)
		}
		return "", ""
	}, nil
}

func expectLeader(p *lineParser) (expectation, error) {
	if p.accept("none") {
		return func(r *run, s *trace.State) (string, string) { return "no leader", isLeaderless(r, s) }, nil
	}
	sel, err := p.selectorOf("leader")
	return func(r *run, s *trace.State) (string, string) {
		return "leader " + sel.text, isLeader(r, s, sel)
	}, err
}

func expectRole(p *lineParser) (expectation, error) {
	sel, err := p.selector()
	if err != nil {
		return nil, err
	}
	at := p.words[p.pos-1]
	role, err := p.choice("a role", roles...)
	if err == nil {
		err = p.checkRole(sel, at, role)
	}
	return func(r *run, s *trace.State) (string, string) {
		return role + " on " + sel.text, r.nodesAre(s, sel, func(n *trace.Node) string {
			is := string(n.Role)
			switch {
			case n.Process.Down():
				is = "down"
			case !n.Process.Running():
				is = string(n.Process)
			}
			if is == role {
				return ""
			}
			return is
		})
	}, err
}

// roles are what a node can be expected to be.
var roles = []string{"follower", "leader", "candidate", "down"}

func expectTerm(p *lineParser) (expectation, error) {
	operator, n, err := p.comparison()
	return func(_ *run, s *trace.State) (want, got string) {
		term := int64(HighestTerm(s))
		if compares(term, operator, n) {
			return "", ""
		}
		return fmt.Sprintf("term %s %d", operator, n), strconv.FormatInt(term, 10)
	}, err
}

// HighestTerm returns the highest term that any node has on disk.
func HighestTerm(s *trace.State) (term uint64) {
	for i := range s.Nodes {
		term = max(term, s.Nodes[i].Term)
	}
	return term
}

func expectCommit(p *lineParser) (expectation, error) {
	operator, want, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if !p.hasMore() || p.peek() == "within" {
		return func(_ *run, s *trace.State) (string, string) {
			if compares(int64(s.Commit), operator, want) {
				return "", ""
			}
			return fmt.Sprintf("commit %s %d", operator, want), strconv.FormatUint(s.Commit, 10)
		}, nil
	}
	on, err := p.on()
	return func(r *run, s *trace.State) (string, string) {
		return fmt.Sprintf("commit %s %d on %s", operator, want, on.text), r.nodesAre(s, on, func(n *trace.Node) string {
			if compares(int64(n.Commit), operator, want) {
				return ""
			}
			return strconv.FormatUint(n.Commit, 10)
		})
	}, err
}

// expectLog compares logs where they overlap. A longer log does not diverge from a
// shorter one: two entries at one index do. A single log is compared with the
// leader's.
func expectLog(p *lineParser) (expectation, error) {
	sel, err := p.selector()
	if err != nil {
		return nil, err
	}
	want, err := p.choice("a relation of logs", "same", "diverged")
	return func(r *run, s *trace.State) (string, string) {
		ids, err := r.lookUp(sel)
		if err != nil {
			return "log " + want, err.Error()
		}
		if len(ids) == 1 {
			if leader := s.LeaderNode(); leader != nil {
				ids = append(ids, leader.ID)
			}
		}
		at := uint64(0)
		for i, a := range ids {
			for _, b := range ids[:i] {
				at = max(at, firstDivergence(s.Node(a), s.Node(b)))
			}
		}
		switch {
		case want == "same" && at > 0:
			return "the same log", fmt.Sprintf("different entries at index %d", at)
		case want == "diverged" && at == 0:
			return "diverged logs", "the same log"
		}
		return "", ""
	}, err
}

// firstDivergence returns the first index at which two logs have entries of
// different terms, 0 if there is none.
func firstDivergence(a, b *trace.Node) uint64 {
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

// outcomes are the outcomes of a client's operation, in the order of
// [trace.Clients].
var outcomes = []string{string(trace.OK), string(trace.Failed), string(trace.Unknown)}

func expectLast(p *lineParser) (expectation, error) {
	outcome, err := p.choice("an outcome", outcomes...)
	return func(r *run, _ *trace.State) (want, got string) {
		switch last := r.lastOp(); {
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

func expectOps(p *lineParser) (expectation, error) {
	outcome, err := p.choice("an outcome", outcomes...)
	if err != nil {
		return nil, err
	}
	operator, n, err := p.comparison()
	return func(_ *run, s *trace.State) (want, got string) {
		counts := []uint64{s.Clients.OK, s.Clients.Failed, s.Clients.Unknown}
		count := int64(counts[slices.Index(outcomes, outcome)])
		if compares(count, operator, n) {
			return "", ""
		}
		return fmt.Sprintf("ops %s %s %d", outcome, operator, n), strconv.FormatInt(count, 10)
	}, err
}
