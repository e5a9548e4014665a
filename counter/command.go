package counter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrBadCommand says that a command is malformed: it cannot be encoded, or the
// bytes are not the encoding of one. Whoever gets it knows that nothing changed.
var ErrBadCommand = errors.New("counter: bad command")

// Op is what a command does. The values are part of the encoding, and zero is
// none of them, so a command that nobody filled in is refused.
type Op uint8

const (
	// OpAdd adds Delta to the counter.
	OpAdd Op = 1
	// OpRead is a read through the log: it changes nothing and returns the value.
	OpRead Op = 2
)

// String returns "add" or "read", and "op(7)" for a value that is no Op.
func (o Op) String() string {
	switch o {
	case OpAdd:
		return "add"
	case OpRead:
		return "read"
	default:
		return fmt.Sprintf("op(%d)", uint8(o))
	}
}

// Command is one operation on the counter, as a client issues it.
type Command struct {
	Op      Op
	Client  string // Client names who issued it: at most 32 bytes of [A-Za-z0-9._-], empty only without a session.
	Seq     uint64 // Seq is the client's sequence number; within a session each new command has a higher one.
	Session bool   // Session makes a retry of (Client, Seq) count once; without it, each log entry counts.
	Delta   int64  // Delta is what OpAdd adds, and zero for OpRead.
}

// String returns the operation alone, as a log entry is labelled: "+1", "-3", "read".
func (c Command) String() string {
	if c.Op == OpAdd {
		return fmt.Sprintf("%+d", c.Delta)
	}
	return c.Op.String()
}

const (
	commandVersion = 1
	// commandBytesMax holds version, op, session, the length of the name, the name and two varints.
	commandBytesMax = 4 + clientBytesMax + 2*binary.MaxVarintLen64
)

// Encode returns the one encoding of the command:
//
//	version  1 byte, 1
//	op       1 byte
//	session  1 byte, 0 or 1
//	client   uvarint of its length in bytes, then the name
//	seq      uvarint
//	delta    zigzag varint, for OpAdd only
//
// An error wraps ErrBadCommand: unknown op, bad client name, a session without
// a client, or a read with a delta.
func (c Command) Encode() ([]byte, error) {
	if err := c.validate(); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrBadCommand, err)
	}
	data := make([]byte, 0, commandBytesMax)
	data = append(data, commandVersion, byte(c.Op))
	data = appendBool(data, c.Session)
	data = appendClient(data, c.Client)
	data = binary.AppendUvarint(data, c.Seq)
	if c.Op == OpAdd {
		data = binary.AppendVarint(data, c.Delta)
	}
	return data, nil
}

// Decode is the inverse of Encode. It accepts exactly what Encode returns: each
// command has one encoding, so accepted bytes encode to themselves again. Other
// bytes give an error that wraps ErrBadCommand.
func Decode(data []byte) (Command, error) {
	r := reader{rest: data}
	r.version(commandVersion)
	c := Command{Op: Op(r.byte())}
	c.Session = r.bool()
	c.Client = r.client()
	c.Seq = r.uvarint()
	if c.Op == OpAdd {
		c.Delta = r.varint()
	}
	err := r.err
	if err == nil {
		err = c.validate()
	}
	if err == nil {
		err = r.end()
	}
	if err != nil {
		return Command{}, fmt.Errorf("%w: %w", ErrBadCommand, err)
	}
	return c, nil
}

// validate tells why the command has no encoding, or nil.
func (c Command) validate() error {
	switch c.Op {
	case OpAdd:
	case OpRead:
		if c.Delta != 0 {
			return fmt.Errorf("a read with a delta of %d", c.Delta)
		}
	default:
		return fmt.Errorf("unknown operation %d", uint8(c.Op))
	}
	if c.Session && c.Client == "" {
		return errors.New("a session without a client")
	}
	return validateClient(c.Client)
}
