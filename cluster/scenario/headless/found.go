package headless

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
	"capsize/cluster/trace/history"
	"capsize/cluster/trace/recording"
)

// Found is a directory that keeps failing runs. For each it holds the scenario (NAME.capsize), the
// events (NAME.trace.gz) and the result (NAME.json).
type Found struct {
	Dir string // "" to keep nothing
}

// Finding is a failing run to keep.
type Finding struct {
	Name   string           // of its files, without an ending
	Script *scenario.Script // whose commands name its seed
	Result Result
	// Trace writes the events to a file. It may be nil.
	Trace func(file string) error
}

// Check returns an error if nothing can be kept in the directory. It leaves nothing behind: the
// directory is created once there is something to keep.
func (f Found) Check() error {
	if f.Dir == "" {
		return nil
	}
	dir := filepath.Clean(f.Dir)
	for {
		info, err := os.Stat(dir)
		parent := filepath.Dir(dir)
		switch {
		case err == nil && !info.IsDir():
			return fmt.Errorf("%s: not a directory", dir)
		case err == nil:
			probe, err := os.CreateTemp(dir, ".capsize-*")
			if err != nil {
				return fmt.Errorf("%s: cannot be written: %w", dir, pathCause(err))
			}
			return errors.Join(probe.Close(), os.Remove(probe.Name()))
		case !errors.Is(err, fs.ErrNotExist) || parent == dir:
			return scenario.FileError(dir, err)
		}
		dir = parent
	}
}

// pathCause returns what is wrong with a file, without its name.
func pathCause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Keep writes a finding, and returns the name of its scenario. A finding of the same name is only
// replaced by the same exact run; any other gets a number behind its name. The trace comes last: if
// it is interrupted, the rest is there.
func (f Found) Keep(one Finding) (name string, err error) {
	if f.Dir == "" {
		return "", nil
	}
	if err := os.MkdirAll(f.Dir, 0o755); err != nil {
		return "", scenario.FileError(f.Dir, err)
	}
	base, err := f.claim(one)
	if err != nil {
		return "", err
	}
	name = base + ".capsize"
	text := one.comment(base) + one.Script.Text()
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		return name, scenario.FileError(name, err)
	}
	one.Result.addFound(name)
	data, err := json.Marshal(&one.Result)
	if err == nil {
		err = os.WriteFile(base+".json", append(data, '\n'), 0o644)
	}
	if err != nil {
		return name, scenario.FileError(base+".json", err)
	}
	if one.Trace == nil {
		return name, nil
	}
	if err := one.Trace(base + ".trace.gz"); err != nil {
		_ = os.Remove(base + ".trace.gz") // half a trace
		return name, err
	}
	return name, nil
}

// claim returns the path, without an ending, under which a finding is kept.
func (f Found) claim(one Finding) (base string, err error) {
	for n := 1; ; n++ {
		base = filepath.Join(f.Dir, one.Name)
		if n > 1 {
			base += fmt.Sprintf("-%d", n)
		}
		file, err := os.OpenFile(base+".capsize", os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644)
		switch {
		case err == nil:
			return base, file.Close()
		case !errors.Is(err, fs.ErrExist):
			return "", scenario.FileError(base+".capsize", err)
		}
		var kept Result
		if data, err := os.ReadFile(base + ".json"); err == nil && json.Unmarshal(data, &kept) == nil &&
			kept.Fingerprint != "" && kept.Fingerprint == one.Result.Fingerprint {
			return base, nil
		}
	}
}

// verdictMax is the length of the verdict in a comment, in characters.
const verdictMax = 300

// comment is the head of a kept scenario.
func (one Finding) comment(base string) string {
	verdict := fmt.Sprintf("seed %d failed", one.Result.Seed)
	if len(one.Result.Failures) > 0 {
		verdict = one.Result.Failures[0].Message()
	}
	verdict = strings.Join(strings.Fields(verdict), " ")
	if runes := []rune(verdict); len(runes) > verdictMax {
		verdict = string(runes[:verdictMax]) + "…"
	}
	line := Opening(base+".capsize", one.Result.Mode)
	note := "The trace shows this run. It was native: to run the scenario again is alike, not the same."
	switch {
	case one.Result.Mode == engine.ExactMode && one.Result.Fingerprint == "":
		note = "The run was not brought to its end, so its fingerprint is not known."
	case one.Result.Mode == engine.ExactMode:
		note = "trace " + one.Result.Fingerprint
	case one.Trace == nil:
		line, note = Retry(base+".capsize"), "It was a native run, and its events were not kept: this may show it again, or not."
	}
	return fmt.Sprintf("# %s\n# %s\n# %s\n\n", verdict, line, note)
}

// Opening returns the command that opens a kept scenario: an exact run repeats, of a native one the
// trace is shown.
func Opening(name string, mode engine.Mode) string {
	if mode == engine.ExactMode {
		return "capsize play " + name + " --exact"
	}
	return "capsize replay " + strings.TrimSuffix(name, ".capsize") + ".trace.gz"
}

// Retry returns the command that looks for another run like one whose events were not kept.
func Retry(name string) string { return "capsize run " + name + " --repeat 1000" }

// RecordAgain returns a function that writes the trace of an exact run by running it again. The
// function fails if the run does not repeat.
func RecordAgain(ctx context.Context, open engine.Opener, version string, s *scenario.Script, fingerprint string) func(file string) error {
	return func(file string) error {
		record, err := recording.Create(file, header(s.Settings.Seed, version, s.Nodes))
		if err != nil {
			return scenario.FileError(file, err)
		}
		r, err := run(ctx, open, s, observers{record: record})
		err = errors.Join(err, record.Close())
		if err == nil && r.Fingerprint != fingerprint {
			err = fmt.Errorf("%s: the run did not repeat: trace %s, then %s", file, fingerprint, r.Fingerprint)
		}
		return err
	}
}

// RecordHistory returns a function that writes what a history holds of a native run as a trace.
func RecordHistory(past *history.History, r Result) func(file string) error {
	return func(file string) error {
		record, err := recording.Create(file, header(r.Seed, "", r.Nodes))
		if err != nil {
			return scenario.FileError(file, err)
		}
		first, last := past.Span()
		var before trace.State
		if past.StateAt(first.Seq, &before) && first.Seq > 0 {
			record.Start(&before)
		}
		end := last.Seq
		if r.Events > 0 {
			end = r.Events // what follows comes from closing the cluster
		}
		past.Events(first.Seq+1, end, func(e *trace.Event) bool {
			record.Add(e, nil)
			return true
		})
		return record.Close()
	}
}
