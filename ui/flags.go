package ui

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/spf13/pflag"

	"capsize/cluster/vtime"
	"capsize/ui/style"
)

// AddFlags adds the flags that say how a screen looks and starts.
func (o *Options) AddFlags(fs *pflag.FlagSet) {
	o.Speed = 1
	fs.Var((*Speed)(&o.Speed), "speed", "how fast time runs: a factor, a fraction like 1/10, 0 to start paused, or max")
	fs.Var((*themeName)(&o.Theme), "theme", strings.Join(style.ThemeNames(), ", ")+" (default: by the terminal's background)")
	fs.BoolVar(&o.ASCII, "ascii", false, "draw with ASCII characters only")
	fs.Int64Var(&o.HistoryMB, "history", HistoryMB, "how many megabytes of memory the past may take; the oldest goes first")
	fs.BoolVar(&o.Still, "still", false, "have nothing move on the screen")
	fs.StringVar(&o.Lang, "lang", Language(), "the language of captions, like zh, where there are any in it (default: as LANG says)")
}

// AddScreenFlags adds those of a screen that somebody sits at.
func (o *Options) AddScreenFlags(fs *pflag.FlagSet) {
	fs.BoolVar(&o.Keys, "keys", false, "show the keys pressed, large")
	fs.StringVar(&o.Cast, "cast", "", "record the screen in this file, as an asciicast")
	fs.Var(&o.Bindings, bindFlag, "have the key X do what K does; may be repeated")
	fs.BoolVar(&o.CastKeys, "cast-keys", false, "record the keys pressed too")
}

// FlagValues returns what the values of flags may be, or usually are, by their names.
func FlagValues() map[string][]string {
	return map[string][]string{
		"theme": style.ThemeNames(), "speed": {"0", "1/100", "1/10", "1", "10", "100", "max"},
		"lang": {"en", "zh"}, "size": {"80x24", "120x36", "160x48"}, "fps": {"8", "15", "30"},
	}
}

// AddFlags adds the flags of a recording.
func (r *Recording) AddFlags(fs *pflag.FlagSet) {
	r.Options.AddFlags(fs)
	fs.StringVarP(&r.File, "output", "o", "", "the file to write, which ends in "+castEnding+" or "+svgEnding)
	r.Size = Size{120, 36}
	fs.Var(&r.Size, "size", "columns and rows of the terminal")
	fs.IntVar(&r.FPS, "fps", 0, fmt.Sprintf("pictures a second (default: %d, and %d in an %s)", fps, svgFPS, svgEnding))
	fs.DurationVar(&r.IdleLimit, "idle-limit", 0, "skip time after so long without anything new (default: never)")
	fs.DurationVar(&r.At, "at", -1, "only the picture of this moment of the recording, in an "+svgEnding)
	fs.Lookup("at").DefValue = "0s" // the help shows no default then, and there is none
}

// themeName is a flag of the command line: the name of a theme.
type themeName string

// Set reads the name of a theme.
func (n *themeName) Set(text string) error {
	if style.ThemeNamed(text) == nil {
		return fmt.Errorf("there is no theme %q: there are %s", text, strings.Join(style.ThemeNames(), ", "))
	}
	*n = themeName(text)
	return nil
}

func (n *themeName) String() string { return string(*n) }

// Type is what the help calls it.
func (n *themeName) Type() string { return "NAME" }

// Speed is a flag of the command line: virtual seconds per second. It is written
// as a factor, a fraction, or max.
type Speed float64

// Set reads a speed.
func (s *Speed) Set(text string) error {
	if text == "max" {
		*s = vtime.Max
		return nil
	}
	numerator, denominator, isFraction := strings.Cut(text, "/")
	speed, err := strconv.ParseFloat(numerator, 64)
	if err == nil && isFraction {
		var divisor float64
		divisor, err = strconv.ParseFloat(denominator, 64)
		speed /= divisor
	}
	if err != nil || !(speed >= 0 && speed <= 10_000) || (speed > 0 && speed < 1e-4) {
		return errors.New("it must be 0, a factor from 0.0001 to 10000, a fraction like 1/10, or max")
	}
	*s = Speed(speed)
	return nil
}

func (s *Speed) String() string { return speedWord(float64(*s)) }

// Type is what the help calls a speed.
func (s *Speed) Type() string { return "SPEED" }

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
	if width < minWidth || height < minHeight || width > recordWidthMax || height > recordHeightMax {
		return fmt.Errorf("it must be from %dx%d to %dx%d", minWidth, minHeight, recordWidthMax, recordHeightMax)
	}
	s.Width, s.Height = width, height
	return nil
}

func (s *Size) String() string { return fmt.Sprintf("%dx%d", s.Width, s.Height) }

// Type is what the help calls a size.
func (s *Size) Type() string { return "SIZE" }
