package cli

import (
	"errors"
	"fmt"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"capsize/cluster"
	"capsize/cluster/scenario"
	"capsize/cluster/vtime"
	"capsize/ui"
	"capsize/ui/canvas"
	"capsize/ui/keymap"
	"capsize/ui/pane"
	"capsize/ui/record"
	"capsize/ui/source"
	"capsize/ui/style"
)

// addLook adds the flags that say how pictures look.
func addLook(look *pane.Look, fs *pflag.FlagSet) {
	fs.Var((*themeName)(&look.Theme), "theme", strings.Join(style.ThemeNames(), ", ")+" (default: the terminal's background decides)")
	fs.BoolVar(&look.ASCII, "ascii", false, "draw with ASCII characters only")
	fs.BoolVar(&look.Still, "still", false, "no motion")
	fs.StringVar(&look.Lang, "lang", language(), "language of captions, such as zh (default: the system's)")
}

// addPlayback adds the flags of speed and history.
func addPlayback(speed *float64, historyMB *int64, fs *pflag.FlagSet) {
	*speed = 1
	fs.Var((*speedFlag)(speed), speedFlagName, "speed of the clock: a factor, a fraction like 1/10, 0 to start paused, or max")
	fs.Int64Var(historyMB, "history", source.HistoryMB, "size of the history in megabytes; the oldest events are dropped first")
}

// addOptions adds the flags of an interactive screen.
func addOptions(o *ui.Options, fs *pflag.FlagSet) {
	addLook(&o.Look, fs)
	addPlayback(&o.Speed, &o.HistoryMB, fs)
	fs.BoolVar(&o.Keys, "keys", false, "show the pressed keys, large")
	fs.StringVar(&o.Cast, "cast", "", "record the screen as an asciicast in this file")
	fs.Var(&keyChanges{&o.Bindings}, bindFlag, "make the key X do what K does; may be repeated")
	fs.BoolVar(&o.CastKeys, "cast-keys", false, "record the pressed keys too")
}

// addRecording adds the flags of a recording.
func addRecording(r *record.Options, fs *pflag.FlagSet) {
	addLook(&r.Look, fs)
	addPlayback(&r.Speed, &r.HistoryMB, fs)
	fs.StringVarP(&r.File, "output", "o", "", "the file to write: NAME"+record.CastExt+" or NAME"+record.SVGExt)
	r.Size = record.Size{Width: 120, Height: 36}
	fs.Var(&r.Size, "size", "columns and rows of the terminal")
	fs.IntVar(&r.FPS, "fps", 0, fmt.Sprintf("frames per second (default: %d; %d in an %s)", pane.FPS, record.SVGFPS, record.SVGExt))
	fs.DurationVar(&r.IdleLimit, "idle-limit", 0, "cut pauses down to this long (default: never)")
	fs.DurationVar(&r.At, "at", -1, "render only this moment of the recording, as a still "+record.SVGExt)
	fs.Lookup("at").DefValue = "0s" // hides the default in the help
}

// flagError rewords what is wrong with a flag's value: pflag's errors quote the Go function
// that failed.
func flagError(err error) error {
	var invalid *pflag.InvalidValueError
	if !errors.As(err, &invalid) {
		return err
	}
	flag, why := invalid.GetFlag(), errors.Unwrap(err)
	switch flag.Value.Type() {
	case "int", "int64":
		why = errors.New("invalid value: must be a whole number")
		if errors.Is(err, strconv.ErrRange) {
			why = errors.New("out of range")
		}
	case "bool":
		why = errors.New("invalid value: must be true or false")
	case "duration":
		why = errors.New("invalid duration: must be like 250ms, 2s or 24h")
	}
	return fmt.Errorf("--%s %s: %w", flag.Name, canvas.Sanitize(invalid.GetValue()), why)
}

// builtinLanguages are the languages of the captions of the built-in scenarios.
var builtinLanguages = []string{"en", "zh"}

// translation matches the language of a caption in a scenario.
var translation = regexp.MustCompile(`(?m)^\s*(?:say|chapter|ask)\.(\S+)`)

// checkLanguage rejects a --lang in which neither the built-in scenarios nor the one in
// file, "" for none, have captions. A language from the environment or the configuration
// may be missing: captions are then in the scenario's own language.
func checkLanguage(fs *pflag.FlagSet, file string) error {
	flag := fs.Lookup("lang")
	if flag == nil || !flag.Changed {
		return nil
	}
	languages := slices.Clone(builtinLanguages)
	if data, err := os.ReadFile(file); err == nil {
		for _, match := range translation.FindAllStringSubmatch(string(data), -1) {
			languages = append(languages, match[1])
		}
	}
	slices.Sort(languages)
	languages = slices.Compact(languages)
	asked, _, _ := strings.Cut(strings.ReplaceAll(flag.Value.String(), "_", "-"), "-")
	if slices.ContainsFunc(languages, func(l string) bool {
		base, _, _ := strings.Cut(strings.ReplaceAll(l, "_", "-"), "-")
		return strings.EqualFold(base, asked)
	}) {
		return nil
	}
	return fmt.Errorf("--lang %s: no captions in that language; use %s", canvas.Sanitize(flag.Value.String()), strings.Join(languages, ", "))
}

// flagValues maps flags to the values they take, or usually have.
func flagValues() map[string][]string {
	return map[string][]string{
		"theme": style.ThemeNames(), "speed": {"0", "1/100", "1/10", "1", "10", "100", "max"},
		"lang": builtinLanguages, "size": {"80x24", "120x36", "160x48"}, "fps": {"8", "15", "30"},
	}
}

// completeScenario completes the name of a built-in scenario.
func completeScenario(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
	return scenario.Names(), cobra.ShellCompDirectiveDefault
}

// complete registers the completions of a command's flags.
func complete(cmd *cobra.Command) {
	all := flagValues()
	all["storage"], all["chaos"] = []string{cluster.Bolt, cluster.Memory}, scenario.ChaosKinds()
	for name, values := range all {
		if cmd.Flags().Lookup(name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp))
		}
	}
	if cmd.Flags().Lookup("set") != nil {
		_ = cmd.RegisterFlagCompletionFunc("set", func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			keys := cluster.SettingKeys()
			for i := range keys {
				keys[i] += "="
			}
			return keys, cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
		})
	}
}

// bindFlag is the flag that binds other keys.
const bindFlag = "bind"

// keyChanges is the flag --bind.
type keyChanges struct{ changes *keymap.Changes }

// Set reads one change.
func (k *keyChanges) Set(text string) error { return k.changes.Add(ui.Keys(), text) }

func (k *keyChanges) String() string { return "" }

// Type is what the help calls a change.
func (k *keyChanges) Type() string { return "K=X" }

// themeName is a flag of the command line: the name of a theme.
type themeName string

// Set reads the name of a theme.
func (n *themeName) Set(text string) error {
	if style.ThemeNamed(text) == nil {
		return fmt.Errorf("unknown theme %q: use %s", text, strings.Join(style.ThemeNames(), ", "))
	}
	*n = themeName(text)
	return nil
}

func (n *themeName) String() string { return string(*n) }

// Type is what the help calls it.
func (n *themeName) Type() string { return "NAME" }

// speedFlagName is the flag of the clock's speed.
const speedFlagName = "speed"

// speedFlag is a flag of the command line: virtual seconds per second. It is written
// as a factor, a fraction, or max.
type speedFlag float64

// Set reads a speed.
func (s *speedFlag) Set(text string) error {
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
		return errors.New("must be 0, a factor from 0.0001 to 10000, a fraction like 1/10, or max")
	}
	*s = speedFlag(speed)
	return nil
}

func (s *speedFlag) String() string { return pane.SpeedWord(float64(*s)) }

// Type is what the help calls a speed.
func (s *speedFlag) Type() string { return "SPEED" }
