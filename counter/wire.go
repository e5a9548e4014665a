package counter

import (
	"encoding/binary"
	"errors"
	"fmt"
)

// clientBytesMax bounds a client's name, and with it the sizes of commands and snapshots.
const clientBytesMax = 32

// validateClient tells why the name cannot be a client's, or nil. The empty name
// passes: only who needs a client knows whether one may be missing.
func validateClient(name string) error {
	if len(name) > clientBytesMax {
		return fmt.Errorf("client name of %d bytes, at most %d are allowed", len(name), clientBytesMax)
	}
	for i := range len(name) {
		switch b := name[i]; {
		case 'a' <= b && b <= 'z', 'A' <= b && b <= 'Z', '0' <= b && b <= '9', b == '.', b == '_', b == '-':
		default:
			return fmt.Errorf("client name %q: only letters, digits, '.', '_' and '-' are allowed", name)
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

// reader takes values off the front of rest. After its first error, kept in err,
// it returns zero values only, so a caller may check once, at the end. It refuses
// whatever the appending functions would not have written.
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
		r.fail(fmt.Errorf("version %d, only %d is known", got, want))
	}
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail(fmt.Errorf("%d is neither 0 nor 1", b))
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
		r.fail(errors.New("number above 64 bits"))
		return 0
	case n > 1 && r.rest[n-1] == 0:
		// A last byte of zero adds nothing: the same number has a shorter encoding.
		r.fail(errors.New("number longer than it has to be"))
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

// varint undoes the zigzag of binary.AppendVarint. It stands on uvarint to share
// its refusal of the longer encodings, which binary.Varint accepts.
func (r *reader) varint() int64 {
	u := r.uvarint()
	return int64(u>>1) ^ -int64(u&1)
}

func (r *reader) client() string {
	size := r.uvarint()
	if size > clientBytesMax {
		r.fail(fmt.Errorf("client name of %d bytes, at most %d are allowed", size, clientBytesMax))
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

// end returns the first error, and one for bytes that nothing has taken.
func (r *reader) end() error {
	if r.err == nil && len(r.rest) > 0 {
		return fmt.Errorf("%d bytes too many", len(r.rest))
	}
	return r.err
}
