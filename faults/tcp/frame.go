package tcp

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

const (
	magic = "capsize1" // begins a hello, with the version of the wire

	textMax  = 256      // of a token or a name in a hello, in bytes
	frameMax = 64 << 20 // of raft's bytes in a frame
)

// errForeign is why a connection is closed that does not begin with a hello.
var errForeign = errors.New("the other end is no node of this capsize")

// appendTexts appends a hello of so many texts.
func appendTexts(b []byte, texts ...string) []byte {
	b = append(b, magic...)
	for _, t := range texts {
		b = binary.AppendUvarint(b, uint64(len(t)))
		b = append(b, t...)
	}
	return b
}

// readTexts reads a hello of as many texts as there are pointers.
func readTexts(r *bufio.Reader, texts ...*string) error {
	start := make([]byte, len(magic))
	if _, err := io.ReadFull(r, start); err != nil {
		return err
	}
	if string(start) != magic {
		return errForeign
	}
	for _, t := range texts {
		length, err := binary.ReadUvarint(r)
		if err != nil {
			return err
		}
		if length > textMax {
			return fmt.Errorf("%w: its hello is too long", errForeign)
		}
		text := make([]byte, length)
		if _, err := io.ReadFull(r, text); err != nil {
			return err
		}
		*t = string(text)
	}
	return nil
}

// appendFrame appends a frame.
func appendFrame(b []byte, mark uint64, payload []byte) []byte {
	b = binary.AppendUvarint(b, mark)
	b = binary.AppendUvarint(b, uint64(len(payload)))
	return append(b, payload...)
}

// frames reads the bytes in frames. It does not read ahead over the end of a frame, so mark belongs
// to the last bytes read.
type frames struct {
	r    *bufio.Reader
	mark uint64
	left uint64       // bytes of the present frame
	seen func(uint64) // called with each new mark, may be nil
}

// Read implements io.Reader.
func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 {
		mark, err := binary.ReadUvarint(f.r)
		if err != nil {
			return 0, err
		}
		length, err := binary.ReadUvarint(f.r)
		if err != nil {
			return 0, err
		}
		if length > frameMax {
			return 0, fmt.Errorf("%w: a frame of %d bytes", errForeign, length)
		}
		f.mark, f.left = mark, length
		if f.seen != nil {
			f.seen(mark)
		}
	}
	n, err := f.r.Read(b[:min(uint64(len(b)), f.left)])
	f.left -= uint64(n)
	return n, err
}
