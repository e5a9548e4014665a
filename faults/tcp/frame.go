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

	textMax  = 256       // of a token or a name in a hello, in bytes
	frameMax = 256 << 10 // of raft's bytes in a frame
)

// errForeign is why a connection is closed that does not speak this protocol.
var errForeign = errors.New("the other end is not a node of this cluster")

// helloOf returns a hello of these texts.
func helloOf(texts ...string) []byte {
	b := []byte(magic)
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

// writeFrames writes raft's bytes in frames with a mark, each with one call of Write. It uses buffer
// and returns it for the next time, and how many of raft's bytes it has written.
func writeFrames(w io.Writer, buffer []byte, mark uint64, b []byte) (next []byte, written int, err error) {
	for written < len(b) {
		part := b[written:min(len(b), written+frameMax)]
		buffer = binary.AppendUvarint(buffer[:0], mark)
		buffer = binary.AppendUvarint(buffer, uint64(len(part)))
		buffer = append(buffer, part...)
		if _, err := w.Write(buffer); err != nil {
			return buffer, written, err
		}
		written += len(part)
	}
	return buffer, written, nil
}

// frames reads the bytes in frames. It does not read ahead over the end of a frame, so mark belongs
// to the last bytes read.
type frames struct {
	r     *bufio.Reader
	mark  uint64
	left  uint64       // bytes of the present frame
	seen  func(uint64) // called with each new mark, may be nil
	ended bool         // the connection has ended, as opposed to what it carries being wrong
}

// Read implements io.Reader.
func (f *frames) Read(b []byte) (int, error) {
	for f.left == 0 {
		if err := f.next(); err != nil {
			return 0, err
		}
	}
	n, err := f.r.Read(b[:min(uint64(len(b)), f.left)])
	f.left -= uint64(n)
	f.ended = err != nil
	return n, err
}

// next begins the next frame.
func (f *frames) next() error {
	if _, err := f.r.Peek(1); err != nil {
		f.ended = true
		return err
	}
	mark, err := binary.ReadUvarint(f.r)
	if err != nil {
		return err
	}
	length, err := binary.ReadUvarint(f.r)
	if err != nil {
		return err
	}
	if length > frameMax {
		return fmt.Errorf("%w: a frame of %d bytes", errForeign, length)
	}
	f.mark, f.left = mark, length
	if f.seen != nil {
		f.seen(mark)
	}
	return nil
}
