package faults

// Fail makes every write fail with ErrIO. Log and snapshot writes hand the error to raft: a leader steps down, a follower
// refuses the entries. A write of a key (the term, the vote) crashes the process, because raft panics when it cannot
// store its term (raft.go, setCurrentTerm) and a panic would end the whole program instead of the one node.
type Fail struct{ noFault }

func (Fail) String() string { return "fail" }

func (Fail) refuse(writeKind) error { return ErrIO }
