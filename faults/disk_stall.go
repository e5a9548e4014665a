package faults

// Stall makes writes hang until the fault is cleared; then all of them are carried out. A dead process's do not.
type Stall struct{ noFault }

func (Stall) String() string { return "stall" }

func (Stall) stalls() bool { return true }
