package counter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// ErrBadCommand is returned when a command is malformed: it cannot be encoded, or
// the bytes do not decode to one. Nothing has changed then.
var ErrBadCommand = errors.New("counter: bad command")

// Op is what a command does. The values are part of the encoding. Zero is not
// valid, so an empty command is rejected.
type Op uint8

const (
	// OpAdd adds Delta to the counter.
	OpAdd Op = 1
	// OpRead is a read through the log: it changes nothing and returns the value.
	OpRead Op = 2
)

// String returns "add" or "read", or text like "op(7)" for an invalid value.
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
	Client  string // the issuer: at most 32 bytes of [A-Za-z0-9._-], empty only without a session
	Seq     uint64 // the client's sequence number; each new command in a session has a higher one
	Session bool   // a retry of (Client, Seq) counts once; without it, each log entry counts
	Delta   int64  // what OpAdd adds; zero for OpRead
}

// String returns the operation alone, to label a log entry: "+1", "-3", "read".
func (c Command) String() string {
	if c.Op == OpAdd {
		return fmt.Sprintf("%+d", c.Delta)
	}
	return c.Op.String()
}

const (
	commandVersion = 1
	// commandBytesMax is the size of version, op, session, the name's length, the
	// longest name and two varints.
	commandBytesMax = 4 + clientBytesMax + 2*binary.MaxVarintLen64
)

// Encode returns the encoding of the command, which is unique:
//
//	version  1 byte, 1
//	op       1 byte
//	session  1 byte, 0 or 1
//	client   uvarint of its length in bytes, then the name
//	seq      uvarint
//	delta    zigzag varint, for OpAdd only
//
// The error wraps ErrBadCommand: unknown op, bad client name, session without a
// client name, or read with a delta.
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

// Decode is the inverse of Encode. It accepts only what Encode returns, so a
// decoded command encodes to the same bytes again. For other bytes, the error
// wraps ErrBadCommand.
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

// validate returns why the command has no encoding, or nil.
func (c Command) validate() error {
	switch c.Op {
	case OpAdd:
	case OpRead:
		if c.Delta != 0 {
			return fmt.Errorf("read with a delta of %d", c.Delta)
		}
	default:
		return fmt.Errorf("unknown operation %d", uint8(c.Op))
	}
	if c.Session && c.Client == "" {
		return errors.New("session without a client name")
	}
	return validateClient(c.Client)
}
