package exact

import (
	"bytes"
	"compress/flate"
	"encoding"
	"fmt"
	"io"
	"time"

	"capsize/cluster/trace"
)

// snapshot is an engine between two calls of its guest: the guest is its memory and its globals
// then.
type snapshot struct {
	at      time.Duration
	memory  []byte // compressed
	size    uint32 // of the memory, in bytes
	clock   int64  // of the guest
	globals []uint64
	chance  []byte
	digest  []byte
	lastID  int32
	orders  int // given before
	state   *trace.State
	names   []string // of the session
	step    string   // that waits, if waits and
	choices int      // no question with so many choices does
	waits   bool
}

// take copies what the guest is now. The memory is compressed later: see pack.
func (e *Engine) take() (*snapshot, error) {
	m := e.guest
	chance, err := m.chance.MarshalBinary()
	if err != nil {
		return nil, err
	}
	digest, err := e.digest.(encoding.BinaryMarshaler).MarshalBinary()
	if err != nil {
		return nil, err
	}
	size := m.module.Memory().Size()
	memory, _ := m.module.Memory().Read(0, size)
	state := e.State()
	s := &snapshot{
		at: e.reached, memory: bytes.Clone(memory), size: size, clock: m.clock,
		chance: chance, digest: digest, lastID: e.lastID, orders: len(e.past), state: &state, names: e.prompt.Names(),
	}
	for _, g := range globalsOf(m.module) {
		s.globals = append(s.globals, g.Get())
	}
	s.step, s.waits = e.stage.Waiting()
	s.choices = e.stage.Choices()
	return s, nil
}

// pack compresses the memory.
func (s *snapshot) pack() error {
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestSpeed)
	if err != nil {
		return err
	}
	if _, err := w.Write(s.memory); err != nil {
		return err
	}
	if err := w.Close(); err != nil {
		return err
	}
	s.memory = packed.Bytes()
	return nil
}

// restore makes a new guest into what the guest of the snapshot was.
func (e *Engine) restore(s *snapshot) error {
	m := e.guest
	memory := m.module.Memory()
	if grow := s.size - min(s.size, memory.Size()); grow > 0 {
		if _, ok := memory.Grow(grow >> 16); !ok {
			return fmt.Errorf("no memory for %d MB", s.size>>20)
		}
	}
	view, _ := memory.Read(0, s.size)
	if _, err := io.ReadFull(flate.NewReader(bytes.NewReader(s.memory)), view); err != nil {
		return fmt.Errorf("restoring memory: %w", err)
	}
	for i, g := range globalsOf(m.module) {
		g.Set(s.globals[i])
	}
	if err := m.chance.UnmarshalBinary(s.chance); err != nil {
		return err
	}
	if err := e.digest.(encoding.BinaryUnmarshaler).UnmarshalBinary(s.digest); err != nil {
		return err
	}
	m.clock, e.lastID, e.reached = s.clock, s.lastID, s.at
	e.pace.from, e.pace.limit, e.pace.done, e.snapshots.next = s.at, s.at, s.at, s.at+snapshotEvery
	e.Restore(s.state)
	e.prompt.Define(s.names...)
	switch {
	case s.choices > 0:
		e.stage.Ask(s.choices)
	case s.waits:
		e.stage.Begin(s.step)
	}
	return nil
}
