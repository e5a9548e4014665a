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
	"slices"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/scenario/headless"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/source"
	"capsize/ui/style"
)

// Options describes the recording to make.
type Options struct {
	File      string // where to write it; its extension is its format
	pane.Look        // how the screen looks
	Size             // of the terminal, in cells
	// Speed is how fast virtual time runs at first, in virtual seconds per second.
	Speed float64
	// HistoryMB limits the memory for the history, in megabytes.
	HistoryMB int64
	// FPS is the number of pictures per second, 0 for the default of the format.
	FPS int
	// IdleLimit is the longest time that may pass in the recording with nothing new to
	// see; beyond it, the recording skips to the next event. 0 means no limit.
	IdleLimit time.Duration
	// Title is the title of the recording.
	Title string
	// At is the time, since the start of the recording, of the single picture to write
	// as a still SVG; negative for an animation of all pictures.
	At time.Duration
}

// The limits of a recording: larger than any terminal, and faster than any eye.
const (
	recordWidthMax, recordHeightMax = 500, 200
	recordFPSMax                    = 60
)

// The file name extensions of the formats.
const (
	CastExt = ".cast"
	SVGExt  = ".svg"
)

// SVGFPS is the default number of pictures per second of an SVG, whose size grows with
// them.
const SVGFPS = 8

// format is a format of recordings.
type format struct {
	ext      string // of its files
	fps      int    // default number of pictures per second
	recorder func(out io.Writer, r Options) recorder
}

// formats lists the formats. To add one, write its recorder and add it here.
var formats = []format{
	{CastExt, pane.FPS, func(out io.Writer, r Options) recorder { return &asciicast{out: out, title: r.Title} }},
	{SVGExt, SVGFPS, func(out io.Writer, r Options) recorder { return &svgAnimation{out: out, at: r.At, title: r.Title} }},
}

// formatOf returns the format of a file, and false if there is none.
func formatOf(file string) (format, bool) {
	i := slices.IndexFunc(formats, func(f format) bool { return f.ext == filepath.Ext(file) })
	if i < 0 {
		return format{}, false
	}
	return formats[i], true
}

// extensions returns the extensions of all formats, as a choice.
func extensions() string {
	var all []string
	for _, f := range formats {
		all = append(all, f.ext)
	}
	return strings.Join(all, " or ")
}

// Validate returns an error that names the flag whose value is out of range.
func (r Options) Validate() error {
	f, known := formatOf(r.File)
	switch {
	case r.File == "":
		return fmt.Errorf("no output file: add -o FILE, with the extension %s", extensions())
	case !known:
		return fmt.Errorf("-o %s: unknown format; use the extension %s", r.File, extensions())
	case r.FPS < 0 || r.FPS > recordFPSMax:
		return fmt.Errorf("--fps %d: must be from 1 to %d", r.FPS, recordFPSMax)
	case r.IdleLimit < 0:
		return fmt.Errorf("--idle-limit %s: must not be negative", r.IdleLimit)
	case r.At >= 0 && f.ext != SVGExt:
		return fmt.Errorf("--at renders a still, which only %[1]s supports; use -o FILE%[1]s", SVGExt)
	}
	return source.CheckHistoryMB(r.HistoryMB)
}

// Record makes a recording of name: of a trace that --trace wrote, or of a scenario,
// which load reads and which open runs headless first, as fast as virtual time allows. If the
// scenario fails, the recording is complete and the error is a [*scenario.Failure].
func (r Options) Record(ctx context.Context, open engine.Opener, name string, load func() (*scenario.Script, error)) error {
	if isTrace(name) {
		s, err := source.OpenRecording(name, r.HistoryMB, io.Discard)
		if err != nil {
			return err
		}
		s.Close()
		if err := s.Recording().Mismatch(); err != nil {
			return source.RecordingError{Err: fmt.Errorf("%s: %w", name, err)}
		}
		_, last := s.History.Span()
		return r.write(ctx, s.History, last)
	}
	script, err := load()
	if err != nil {
		return err
	}
	past, result, err := headless.RunRecorded(ctx, open, script)
	if err != nil {
		return err
	}
	r.Title = script.TitleIn.In(r.Lang, script.Title)
	if err := r.write(ctx, past, endOf(result)); err != nil {
		return err
	}
	if len(result.Failures) > 0 {
		return &result.Failures[0]
	}
	return nil
}

// endOf returns the position of the last event of a run.
func endOf(r headless.Result) trace.Position {
	return trace.Position{Seq: r.Events, At: time.Duration(r.VirtualSeconds * float64(time.Second))}
}

// isTrace reports whether a file looks like a trace: no scenario starts with a brace or
// with gzip's magic number.
func isTrace(name string) bool {
	if _, isBuiltin := scenario.Builtin(name); isBuiltin {
		return false
	}
	file, err := os.Open(name)
	if err != nil {
		return false
	}
	defer func() { _ = file.Close() }() // read only
	var first [1]byte
	n, _ := file.Read(first[:])
	return n == 1 && (first[0] == '{' || first[0] == 0x1f)
}

// write writes the recording of a history, up to last, to its file. The same history
// gives the same bytes.
func (r Options) write(ctx context.Context, past *history.History, last trace.Position) (err error) {
	f, known := formatOf(r.File)
	if !known {
		return r.Validate()
	}
	out, err := os.Create(r.File)
	if err != nil {
		return err
	}
	buffer := bufio.NewWriter(out)
	defer func() { err = errors.Join(err, buffer.Flush(), out.Close()) }()
	r.FPS = cmp.Or(r.FPS, f.fps)
	return r.play(ctx, past, last, f.recorder(buffer, r))
}

// recorder writes a recording in one format. Times count from the start of the
// recording and never go back.
type recorder interface {
	// picture takes a picture, and owns the canvas from then on. It returns errDone
	// when it needs no more pictures.
	picture(at time.Duration, c *canvas.Canvas, t *style.Theme) error
	// mark adds a marker that a player can jump to.
	mark(at time.Duration, label string) error
	// end completes the recording.
	end(at time.Duration) error
}

// play plays a history, up to last, into a recorder.
func (r Options) play(ctx context.Context, past *history.History, last trace.Position, to recorder) error {
	p := &player{Options: r, ctx: ctx, out: to, end: last, speed: displaySpeed(r.Speed), theme: r.ThemeOn(style.TerminalColours{}), glyphs: style.Unicode}
	if r.ASCII { // the terminal that this runs in does not matter
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

// errDone is what a recorder returns when it needs no more pictures.
var errDone = errors.New("recording done")

// endPause is the least time that the last picture stays.
const endPause = 2 * time.Second

// displaySpeed returns the speed at which a recording shows time that runs at a speed:
// limited where that is as fast as possible, 1 where it is automatic.
func displaySpeed(speed float64) float64 {
	switch {
	case speed >= vtime.Max || speed > pane.PictureSpeedMax:
		return pane.PictureSpeedMax
	case speed <= 0: // automatic
		return 1
	}
	return speed
}

// Size is the size of a terminal in cells. As a flag it reads 120x36.
type Size struct{ Width, Height int }

// Set parses a size, and returns an error if it is malformed or out of range.
func (s *Size) Set(text string) error {
	w, h, ok := strings.Cut(text, "x")
	width, wrongW := strconv.Atoi(w)
	height, wrongH := strconv.Atoi(h)
	if !ok || wrongW != nil || wrongH != nil {
		return errors.New("must be COLUMNSxROWS, like 120x36")
	}
	if width < pane.MinWidth || height < pane.MinHeight || width > recordWidthMax || height > recordHeightMax {
		return fmt.Errorf("must be from %dx%d to %dx%d", pane.MinWidth, pane.MinHeight, recordWidthMax, recordHeightMax)
	}
	s.Width, s.Height = width, height
	return nil
}

// String returns the size as Set parses it.
func (s *Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// Type returns the name of the value in the help.
func (s *Size) Type() string { return "SIZE" }
