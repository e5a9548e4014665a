package faults

// Fail makes every write fail with ErrIO. Raft handles a failed log or snapshot write
// itself: a leader steps down, a follower rejects the entries. A failed write of a key
// (the term, the vote) crashes the process, because raft panics when it cannot store its
// term (raft.go, setCurrentTerm), and that panic would end the whole program instead of
// one node.
type Fail struct{ noFault }

func (Fail) String() string { return "fail" }

func (Fail) refuse(writeKind) error { return ErrIO }
