package faults

import (
	"errors"
	"fmt"
	"time"
)

// Errors caused by a disk fault, or by the death of the process, wrap one of these.
var (
	// ErrIO is returned by every write to a failing disk (Fail).
	ErrIO = errors.New("input/output error")
	// ErrNoSpace is returned by a write that needs space on a full disk (Full).
	ErrNoSpace = errors.New("no space left on device")
	// ErrDamaged is wrapped by the error that names a stored record that is missing,
	// unreadable, or does not match its checksum.
	ErrDamaged = errors.New("damaged")
	// ErrKilled is returned by the operations of a process that was killed or has crashed.
	ErrKilled = errors.New("the process that used this disk is dead")
)

// DiskFault is a fault of a Disk, which has at most one at a time: Slow, Stall, Fail, Full,
// Lie, Corrupt or CorruptSnapshot. The set is closed, because some faults need the disk's
// help. The package documentation says how to add one here.
type DiskFault interface {
	// String returns the fault with its settings: "slow 50ms", "stall".
	fmt.Stringer

	// writeTime returns how long a write takes that takes fsync on a healthy disk.
	writeTime(fsync time.Duration) time.Duration
	// refuse returns the error of a write of this kind, or nil if it is carried out.
	refuse(w writeKind) error
	// stalls reports whether writes wait until the fault is cleared.
	stalls() bool
	// lies reports whether writes are acknowledged before they are synced.
	lies() bool
	// damage returns the function that damages stored data at the next Open, or nil. It reports
	// whether there was data to damage, which ends the fault.
	damage() func(*Disk, DiskBackend) (bool, error)
}

// DiskFaultKind describes a kind of disk fault, for a command reference or a menu.
type DiskFaultKind struct {
	Name    string // the words that set the fault
	Args    string // the arguments after the word, empty for most
	Meaning string // what the fault does, in one line
}

// DiskFaultKinds lists the kinds of disk faults in the order of a command reference.
func DiskFaultKinds() []DiskFaultKind {
	return []DiskFaultKind{
		{"slow", "LATENCY", "every write takes this much longer; reads come from the page cache"},
		{"stall", "", "writes hang until the disk is ok again, then they all complete"},
		{"fail", "", "every write fails with an I/O error; a node that cannot store its term or vote crashes"},
		{"full", "", "no space for new log entries or snapshots; deletes and in-place overwrites still work"},
		{"lie", "", "writes are acknowledged at once but synced only at the next flush: a power loss takes back the rest"},
		{"corrupt", "", "bits flip in one stored log entry or key while the node is down: it refuses to start and names the record"},
		{"corrupt snapshot", "", "bits flip in the newest snapshot while the node is down, once it has one: raft starts from an older one, or not at all"},
	}
}

// writeKind is a kind of write, as far as faults distinguish them.
type writeKind int

const (
	appendLogs writeKind = iota
	deleteLogs
	setKey
	createSnapshot
)

// noFault is how a healthy disk behaves. Faults embed it and override what differs.
type noFault struct{}

func (noFault) String() string { return "ok" }

func (noFault) writeTime(fsync time.Duration) time.Duration    { return fsync }
func (noFault) refuse(writeKind) error                         { return nil }
func (noFault) stalls() bool                                   { return false }
func (noFault) lies() bool                                     { return false }
func (noFault) damage() func(*Disk, DiskBackend) (bool, error) { return nil }
