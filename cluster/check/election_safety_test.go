package check

import (
	"fmt"
	"testing"

	"capsize/cluster/trace"
)

// When too many terms are remembered, the older half is forgotten.
func TestOldTermsAreForgotten(t *testing.T) {
	terms := map[uint64]bool{}
	for term := uint64(1); term <= termsMax+1; term++ {
		terms[term] = true
		forgetOldTerms(terms, func(term uint64) uint64 { return term })
	}
	if len(terms) != termsMax/2 || !terms[termsMax+1] || terms[1] {
		t.Errorf("%d terms are kept, the first: %t", len(terms), terms[1])
	}
}

// A term has at most one leader, whichever event shows that a node leads.
func TestTwoLeadersOfAnyTermAreFound(t *testing.T) {
	claims := map[string]func(*historyBuilder, string, uint64){
		"a role": func(r *historyBuilder, node string, term uint64) {
			r.emit(trace.Event{Kind: trace.KindRole, Node: node, Term: term, Role: trace.Leader})
		},
	}
	for _, kind := range []string{"append", "heartbeat", "snapshot"} {
		claims["a packet: "+kind] = func(r *historyBuilder, node string, term uint64) {
			r.packet(trace.Packet{Kind: kind, From: node, To: "n9", Term: term})
		}
	}
	for first, one := range claims {
		for second, other := range claims {
			for term := uint64(2); term < 6; term++ {
				t.Run(fmt.Sprintf("%s, then %s, term %d", first, second, term), func(t *testing.T) {
					r := twoIncrements(t)
					one(r, "n2", term)
					one(r, "n1", 1) // the leader of an earlier term does not know it yet
					r.expect(t, ElectionSafety, trace.VerdictOK, "")
					other(r, "n3", term)
					r.expect(t, ElectionSafety, trace.VerdictViolated, fmt.Sprintf("n2 and n3 both lead term %d", term))
				})
			}
		}
	}
}
