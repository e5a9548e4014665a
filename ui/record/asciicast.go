package record

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/style"
	"capsize/ui/terminal"
)

// castVersion is the version of the asciicast format:
// https://docs.asciinema.org/manual/asciicast/v3/
const castVersion = 3

// The codes of the events of an asciicast.
const (
	CastOutput = "o"
	CastInput  = "i"
	castMarker = "m"
	CastResize = "r"
	CastExit   = "x"
)

// asciicast writes pictures as an asciicast: of each, what changed since the last one.
// It writes one whole line per call of out.Write.
type asciicast struct {
	out    io.Writer
	title  string
	screen canvas.ANSIWriter
	// cols and rows are the size of the terminal, 0 before the first picture, which the
	// header waits for.
	cols, rows int
	last       int64 // time of the last event, in milliseconds from the start

	limit   terminal.RateLimit
	pending *canvas.Canvas // a picture not written yet, because of the limit
	theme   *style.Theme   // of pending
}

// castHeader is the first line of an asciicast.
type castHeader struct {
	Version int      `json:"version"`
	Term    castTerm `json:"term"`
	Title   string   `json:"title,omitempty"`
}

type castTerm struct {
	Cols  int        `json:"cols"`
	Rows  int        `json:"rows"`
	Type  string     `json:"type"`
	Theme *castTheme `json:"theme,omitempty"`
}

type castTheme struct {
	FG      string `json:"fg"`
	BG      string `json:"bg"`
	Palette string `json:"palette"`
}

// picture writes a picture or, while that would make the file too large, keeps it until
// the next one replaces it.
func (c *asciicast) picture(at time.Duration, p *canvas.Canvas, t *style.Theme) error {
	if p.W < 1 || p.H < 1 {
		return nil // the terminal has no size yet, or none any more
	}
	if c.cols == 0 {
		if err := c.writeHeader(p, t); err != nil {
			return err
		}
	}
	if p.W != c.cols || p.H != c.rows {
		c.cols, c.rows = p.W, p.H
		if err := c.event(at, CastResize, fmt.Sprintf("%dx%d", p.W, p.H)); err != nil {
			return err
		}
	}
	c.pending, c.theme = p, t
	if c.limit.Exceeded(at, terminal.CastRate) {
		return nil
	}
	return c.flush(at)
}

// flush writes the pending picture, if there is one.
func (c *asciicast) flush(at time.Duration) error {
	if c.pending == nil {
		return nil
	}
	text := c.screen.Update(c.pending, c.theme)
	if c.pending = nil; text == "" {
		return nil
	}
	return c.event(at, CastOutput, text)
}

// writeHeader writes the header line.
func (c *asciicast) writeHeader(p *canvas.Canvas, t *style.Theme) error {
	c.cols, c.rows = p.W, p.H
	h := castHeader{Version: castVersion, Title: canvas.Sanitize(c.title), Term: castTerm{Cols: p.W, Rows: p.H, Type: "xterm-256color"}}
	if t.ANSIPalette != "" {
		h.Term.Theme = &castTheme{FG: t.Colours[style.Text].Text, BG: t.Background, Palette: t.ANSIPalette}
	}
	line, err := json.Marshal(h)
	if err != nil {
		return err
	}
	_, err = c.out.Write(append(line, '\n'))
	return err
}

// mark writes a marker, which players can jump to.
func (c *asciicast) mark(at time.Duration, label string) error {
	if err := c.flush(at); err != nil {
		return err
	}
	return c.event(at, castMarker, canvas.Truncate(canvas.Sanitize(label), markerMax, "…"))
}

// markerMax is the length limit of a marker's label, in cells.
const markerMax = 80

// key writes a pressed key.
func (c *asciicast) key(at time.Duration, key string) error { return c.event(at, CastInput, key) }

// end writes that the program has exited.
func (c *asciicast) end(at time.Duration) error {
	if err := c.flush(at); err != nil {
		return err
	}
	return c.event(at, CastExit, "0")
}

// event writes one event. It writes nothing before the first picture: there is no header
// yet.
func (c *asciicast) event(at time.Duration, code, data string) error {
	if c.cols == 0 {
		return nil
	}
	// Intervals are differences of rounded times: rounded intervals would drift.
	now := max(at.Round(time.Millisecond).Milliseconds(), c.last)
	var line strings.Builder
	fmt.Fprintf(&line, "[%d.%03d, %q, ", (now-c.last)/1000, (now-c.last)%1000, code)
	c.last = now
	encoder := json.NewEncoder(&line)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(data); err != nil {
		return err
	}
	whole := strings.TrimSuffix(line.String(), "\n") + "]\n"
	c.limit.Add(len(whole))
	_, err := io.WriteString(c.out, whole)
	return err
}

// markers returns the labels of the markers for the story after an event: chapters,
// elections, faults and violations.
func markers(s *trace.State, after uint64, language string) []string {
	var all []string
	for _, line := range s.Story {
		if line.Seq > after && isMarked(s, line) {
			all = append(all, line.In.In(language, line.Text))
		}
	}
	return all
}

// isMarked reports whether a line of the story gets a marker.
func isMarked(s *trace.State, line trace.StoryLine) bool {
	switch line.Topic {
	case trace.TopicLeader, trace.TopicDeath, trace.TopicPause, trace.TopicUnreachable, trace.TopicNetwork, trace.TopicDisk, trace.TopicClock,
		trace.TopicCheck:
		return true
	case trace.TopicPresentation:
		return line.Text == s.Chapter
	case trace.TopicElection, trace.TopicStepDown, trace.TopicStart, trace.TopicHealing, trace.TopicLog,
		trace.TopicMembers, trace.TopicClient, trace.TopicRefusal:
	}
	return false
}
