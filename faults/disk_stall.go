package faults

// Stall makes writes hang until the fault is cleared; then they all complete, except those
// of processes killed in the meantime.
type Stall struct{ noFault }

func (Stall) String() string { return "stall" }

func (Stall) stalls() bool { return true }
