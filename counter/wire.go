package counter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// clientBytesMax bounds a client's name, and so the sizes of commands and snapshots.
const clientBytesMax = 32

// validateClient returns why the name is not a valid client name, or nil. The
// empty name passes: the caller knows whether it needs a name.
func validateClient(name string) error {
	if len(name) > clientBytesMax {
		return fmt.Errorf("client name of %d bytes exceeds the limit of %d", len(name), clientBytesMax)
	}
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return fmt.Errorf("client name %q: use only letters, digits, '.', '_' and '-'", name)
		}
	}
	return nil
}

func appendBool(data []byte, b bool) []byte {
	if b {
		return append(data, 1)
	}
	return append(data, 0)
}

func appendClient(data []byte, name string) []byte {
	data = binary.AppendUvarint(data, uint64(len(name)))
	return append(data, name...)
}

var errTruncated = errors.New("truncated")

// reader consumes values from the front of rest. After its first error, which it
// keeps in err, it returns only zero values, so the caller can check once, at the
// end. It rejects anything that the append functions would not have written.
type reader struct {
	rest []byte
	err  error
}

func (r *reader) fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

func (r *reader) byte() byte {
	if len(r.rest) == 0 {
		r.fail(errTruncated)
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *reader) version(want byte) {
	if got := r.byte(); got != want {
		r.fail(fmt.Errorf("unknown version %d, want %d", got, want))
	}
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail(fmt.Errorf("bad boolean %d", b))
		return false
	}
	return b == 1
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.rest)
	switch {
	case n == 0:
		r.fail(errTruncated)
		return 0
	case n < 0:
		r.fail(errors.New("number exceeds 64 bits"))
		return 0
	case n > 1 && r.rest[n-1] == 0:
		// A last byte of zero adds nothing, so the number has a shorter encoding.
		r.fail(errors.New("number is not in its shortest encoding"))
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// varint decodes the zigzag of binary.AppendVarint. It builds on uvarint, which
// rejects the longer encodings that binary.Varint accepts.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) client() string {
	size := r.uvarint()
	if size > clientBytesMax {
		r.fail(fmt.Errorf("client name of %d bytes exceeds the limit of %d", size, clientBytesMax))
		return ""
	}
	if uint64(len(r.rest)) < size {
		r.fail(errTruncated)
		return ""
	}
	name := string(r.rest[:size])
	r.rest = r.rest[size:]
	return name
}

// end returns the first error, or an error if bytes are left over.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		return fmt.Errorf("%d trailing bytes", len(r.rest))
	}
	return r.err
}
