package check

import "slices"

// The names of the checks. The first five are the Raft paper's (Figure 3).
const (
	ElectionSafety     = "election-safety"
	LeaderAppendOnly   = "leader-append-only"
	LogMatching        = "log-matching"
	LeaderCompleteness = "leader-completeness"
	StateMachineSafety = "state-machine-safety"
	VoteOnce           = "vote-once"
	AckedDurable       = "acked-durable"
	ExactlyOnce        = "exactly-once"
	Linearizable       = "linearizable"
)

// Names returns the names of all checks in the order in which a run reports them.
func Names() []string {
	return []string{
		ElectionSafety, LeaderAppendOnly, LogMatching, LeaderCompleteness, StateMachineSafety,
		VoteOnce, AckedDurable, ExactlyOnce, Linearizable,
	}
}

// Info describes a check.
type Info struct {
	Name    string
	Promise string // what must hold, in one line
}

// infos holds what a client notices first, then what it cannot see.
var infos = []Info{
	{Linearizable, "every read sees every write acknowledged before it"},
	{AckedDurable, "no acknowledged increment is ever lost"},
	{ExactlyOnce, "an increment counts once, even when it is retried"},
	{ElectionSafety, "a term has at most one leader"},
	{LeaderAppendOnly, "a leader only appends to its own log"},
	{LogMatching, "logs that share an entry agree on all before it"},
	{LeaderCompleteness, "later leaders hold every committed entry"},
	{StateMachineSafety, "nodes apply the same entry at every index"},
	{VoteOnce, "one vote per term, stored before it is sent"},
}

// All describes all checks, those that matter most to a client first.
func All() []Info { return slices.Clone(infos) }
