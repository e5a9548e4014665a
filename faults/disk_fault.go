package faults

import (
	"errors"
	"fmt"
	"time"
)

// What a disk answers while it is broken. Errors of a Disk wrap one of these.
var (
	// ErrIO is what every write gets from a disk that fails (Fail).
	ErrIO = errors.New("input/output error")
	// ErrNoSpace is what a write that needs room gets from a full disk (Full).
	ErrNoSpace = errors.New("no space left on device")
	// ErrDamaged is wrapped by the error that says which stored record does not match its checksum.
	ErrDamaged = errors.New("damaged")
	// ErrKilled is what the operations of a dead process get; see DiskSession.Detach.
	ErrKilled = errors.New("the process that used this disk is dead")
)

// A DiskFault is one thing that can be wrong with a Disk. A Disk has at most one at a time.
//
// To add one: write a type in a file disk_<name>.go that embeds healthy and overrides what is different about it, give it
// a String that reads as it is typed, and add its line to DiskFaultKinds. What the methods below cannot express (as Corrupt,
// which acts on what is stored and not on an operation) is a case of its own in Disk.Open.
type DiskFault interface {
	// String is the fault as it is typed: "slow 50ms", "stall".
	fmt.Stringer

	// writeTime is how long a write takes that takes fsync on a healthy disk.
	writeTime(fsync time.Duration) time.Duration
	// refuse is the error a write of this kind gets, nil if it is carried out.
	refuse(w writeKind) error
	// stalls says whether writes wait until the fault is cleared.
	stalls() bool
	// lies says whether writes are called synced although they are not.
	lies() bool
}

// A DiskFaultKind is one entry of a command reference.
type DiskFaultKind struct {
	Name    string // the word that sets the fault
	Args    string // what follows the word, empty for most
	Meaning string // one line
}

// DiskFaultKinds lists the kinds of disk faults, for a command reference.
func DiskFaultKinds() []DiskFaultKind {
	return []DiskFaultKind{
		{"slow", "LATENCY", "every write takes this much longer; reads come from the page cache as ever"},
		{"stall", "", "writes hang until the disk is ok again, then all of them go through"},
		{"fail", "", "every write fails with an I/O error; a node that cannot store its term or vote crashes"},
		{"full", "", "no room for new log entries and snapshots; deleting and overwriting in place still work"},
		{"lie", "", "says synced at once, but writes reach the disk only at the next flush: a power loss takes back the rest"},
		{"corrupt", "", "bits flip in one stored log entry or key while the node is down: it refuses to start, and says which"},
	}
}

// writeKind is the kind of a write, as far as faults tell them apart.
type writeKind int

const (
	appendLogs writeKind = iota
	deleteLogs
	setKey
	createSnapshot
)

// noFault is how a disk without a fault behaves. Faults embed it and override what is different about them.
type noFault struct{}

func (noFault) writeTime(fsync time.Duration) time.Duration { return fsync }
func (noFault) refuse(writeKind) error                      { return nil }
func (noFault) stalls() bool                                { return false }
func (noFault) lies() bool                                  { return false }

func (noFault) String() string { return "ok" }
