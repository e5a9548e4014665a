package record

import (
	"bufio"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/style"
)

// Options says how a scenario or a trace is turned into pictures.
type Options struct {
	File      string
	pane.Look // how the screen looks
	Size      // of the terminal, in cells
	// Speed is how fast virtual time runs at first, in virtual seconds per second.
	Speed float64
	// HistoryMB is how much memory the past may take, in megabytes.
	HistoryMB int64
	FPS       int // pictures a second, 0 as usual for the kind of file
	// IdleLimit is after how long without anything new time is skipped, 0 for never.
	IdleLimit time.Duration
	// Title is what the recording is called.
	Title string
	// At is the one moment of the recording to be seen in a picture that stands
	// still, negative for all of them.
	At time.Duration
}

// The largest recordings: what any terminal may have, and any eye may see.
const (
	recordWidthMax, recordHeightMax = 500, 200
	recordFPSMax                    = 60
)

// The endings of the files that a recording can be written to.
const (
	CastExt = ".cast"
	SVGExt  = ".svg"
)

// SVGFPS is how many pictures a second there are usually in an SVG, whose size
// grows with them.
const SVGFPS = 8

// Validate says what is wrong with a recording.
func (r Options) Validate() error {
	file := r.File
	ending := filepath.Ext(file)
	switch {
	case file == "":
		return fmt.Errorf("-o is missing: say -o demo%s or -o demo%s", CastExt, SVGExt)
	case ending != CastExt && ending != SVGExt:
		return fmt.Errorf("-o %s: a recording ends in %s or %s", file, CastExt, SVGExt)
	case r.FPS < 0 || r.FPS > recordFPSMax:
		return fmt.Errorf("--fps %d: it must be from 1 to %d", r.FPS, recordFPSMax)
	case r.IdleLimit < 0:
		return fmt.Errorf("--idle-limit %s: it must not be negative", r.IdleLimit)
	case r.At >= 0 && ending != SVGExt:
		return fmt.Errorf("--at is for a picture that stands still, and %s is none: say -o FILE%s", file, SVGExt)
	}
	return source.CheckHistoryMB(r.HistoryMB)
}

// Record records a trace that --trace has written, or plays a scenario where nobody
// watches, as fast as it goes, and records that; load reads the scenario. The error
// is a [*scenario.Failure] if there is a recording, of a scenario that failed.
func (r Options) Record(ctx context.Context, name string, load func() (*scenario.Script, error)) error {
	if isTrace(name) {
		s, err := source.OpenRecording(name, r.HistoryMB, io.Discard)
		if err != nil {
			return err
		}
		s.Close()
		if err := s.Recheck.Mismatch(); err != nil {
			return source.RecordingError{Err: fmt.Errorf("%s: %w", name, err)}
		}
		_, last := s.History.Span()
		return r.write(ctx, s.History, last)
	}
	script, err := load()
	if err != nil {
		return err
	}
	past, result, err := scenario.RunRecorded(ctx, script)
	if err != nil {
		return err
	}
	r.Title = script.Title
	if err := r.write(ctx, past, endOf(result)); err != nil {
		return err
	}
	if len(result.Failures) > 0 {
		return &result.Failures[0]
	}
	return nil
}

// endOf returns the moment at which a run ended.
func endOf(r scenario.Result) trace.Position {
	return trace.Position{Seq: r.Events, At: time.Duration(r.VirtualSeconds * float64(time.Second))}
}

// isTrace says whether a file looks like one that --trace has written: a scenario
// begins with neither a brace nor the mark of gzip.
func isTrace(name string) bool {
	if _, isBuiltin := scenario.Builtin(name); isBuiltin {
		return false
	}
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // it was only read
	var first [1]byte
	n, _ := file.Read(first[:])
	return n == 1 && (first[0] == '{' || first[0] == 0x1f)
}

// write writes the recording of the past up to a moment to its file. The same past
// gives the same bytes.
func (r Options) write(ctx context.Context, past *history.History, last trace.Position) (err error) {
	out, err := os.Create(r.File)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(out)
	defer func() { err = errors.Join(err, buffer.Flush(), out.Close()) }()
	if strings.HasSuffix(r.File, SVGExt) {
		r.FPS = cmp.Or(r.FPS, SVGFPS)
		return r.play(ctx, past, last, &svgAnimation{out: buffer, at: r.At, title: r.Title})
	}
	r.FPS = cmp.Or(r.FPS, pane.FPS)
	return r.play(ctx, past, last, &asciicast{out: buffer, title: r.Title})
}

// recorder takes the pictures of a recording, at times since its start.
type recorder interface {
	picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error
	mark(at time.Duration, label string) error
	end(at time.Duration) error
}

// play plays the past up to a moment into a film.
func (r Options) play(ctx context.Context, past *history.History, last trace.Position, to recorder) error {
	p := &player{Options: r, ctx: ctx, out: to, end: last, speed: displaySpeed(r.Speed), theme: r.ThemeOn(style.TerminalColours{}), glyphs: style.Unicode}
	if r.ASCII { // what terminal this runs on is of no interest
		p.glyphs = style.ASCII
	}
	first, _ := past.Span()
	past.StateAt(first.Seq, &p.state)
	next, stop := iter.Pull(func(yield func(*trace.Event) bool) { past.Events(first.Seq+1, last.Seq, yield) })
	defer stop()
	p.next = next
	err := p.run()
	if errors.Is(err, errDone) {
		return nil
	}
	return err
}

// errDone is what a film returns that wants no more pictures.
var errDone = errors.New("no more pictures are wanted")

// endPause is how long the last picture stays at least.
const endPause = 2 * time.Second

// displaySpeed returns the speed at which pictures show what is to run at a speed:
// there is no machine for them to be as fast as.
func displaySpeed(speed float64) float64 {
	switch {
	case speed >= vtime.Max || speed > pane.PictureSpeedMax:
		return pane.PictureSpeedMax
	case speed <= 0: // by itself
		return 1
	}
	return speed
}

// Size is a flag of the command line: the size of a terminal, like 120x36.
type Size struct{ Width, Height int }

// Set reads a size.
func (s *Size) Set(text string) error {
	w, h, ok := strings.Cut(text, "x")
	width, wrongW := strconv.Atoi(w)
	height, wrongH := strconv.Atoi(h)
	if !ok || wrongW != nil || wrongH != nil {
		return errors.New("it must be columns and rows, like 120x36")
	}
	if width < pane.MinWidth || height < pane.MinHeight || width > recordWidthMax || height > recordHeightMax {
		return fmt.Errorf("it must be from %dx%d to %dx%d", pane.MinWidth, pane.MinHeight, recordWidthMax, recordHeightMax)
	}
	s.Width, s.Height = width, height
	return nil
}

func (s *Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// Type is what the help calls a size.
func (s *Size) Type() string { return "SIZE" }
