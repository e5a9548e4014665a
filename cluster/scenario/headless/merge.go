package headless

import (
	"bufio"
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"

	"capsize/cluster/engine"
	"capsize/cluster/scenario"
	"capsize/cluster/trace"
)

// Merged is what the shards of a soak with many seeds add up to.
type Merged struct {
	Summary Summary
	lines   []seedLine
}

// seedLine is where a seed's result was found and, if it is to be printed, its text.
type seedLine struct {
	seed       int64
	file, line int
	text       []byte
}

// resultMax is the longest result, in bytes.
const resultMax = 1 << 24

// Merge reads the results of shards, as `soak --seeds --json` prints them, in any order. The error
// names what is damaged, what differs, which seeds are there twice, or which are missing. keep is set
// to write the results later.
func Merge(files []string, keep bool) (*Merged, error) {
	m := merger{files: files, keep: keep, merged: &Merged{}}
	for i, name := range files {
		if err := m.read(i, name); err != nil {
			return nil, err
		}
	}
	if err := m.complete(); err != nil {
		return nil, err
	}
	return m.merged, nil
}

// WriteJSON writes the results in the order of their seeds.
func (m *Merged) WriteJSON(w io.Writer) error {
	for _, l := range m.lines {
		if _, err := w.Write(append(l.text, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// merger merges results.
type merger struct {
	files  []string
	keep   bool
	first  Share // of the first result
	mode   engine.Mode
	seeds  Seeds // of all shards
	merged *Merged
}

// read reads one file.
func (m *merger) read(file int, name string) error {
	f, err := os.Open(name)
	if err != nil {
		return scenario.FileError(name, err)
	}
	defer func() { _ = f.Close() }() // it was only read
	lines := bufio.NewScanner(f)
	lines.Buffer(nil, resultMax)
	line := 0
	for lines.Scan() {
		if line++; len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		if err := m.take(file, line, lines.Bytes()); err != nil {
			return fmt.Errorf("%s:%d: %w", name, line, err)
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s:%d: %w", name, line+1, err)
	}
	if line == 0 {
		return fmt.Errorf("%s: holds no result; run this shard again", name)
	}
	return nil
}

// take takes one result.
func (m *merger) take(file, line int, text []byte) error {
	var r Result
	if err := json.Unmarshal(text, &r); err != nil {
		return fmt.Errorf("damaged, not a result: %w", err)
	}
	if r.Share == nil {
		return errors.New("not a result of soak --seeds: it names no shard")
	}
	shard, err := ParseSeeds(r.Seeds, r.Shard)
	if err != nil {
		return fmt.Errorf("damaged: %w", err)
	}
	if m.merged.Summary.Done == 0 {
		m.first, m.mode, m.seeds = *r.Share, r.Mode, shard
	}
	for _, same := range []struct{ what, here, first string }{
		{"the range of seeds", r.Seeds, m.first.Seeds},
		{"the number of shards", fmt.Sprint(shard.Shards), fmt.Sprint(m.seeds.Shards)},
		{"the mode", string(r.Mode), string(m.mode)},
		{"the soak", r.Script, m.first.Script},
		{"the version", r.Version, m.first.Version},
	} {
		if same.here != same.first {
			return fmt.Errorf("%s is %s, and %s in %s; merge only shards of one soak", same.what, same.here, same.first, m.files[0])
		}
	}
	if !shard.Has(r.Seed) {
		return fmt.Errorf("damaged: seed %d is not in shard %s of seeds %s", r.Seed, r.Shard, r.Seeds)
	}
	if why := r.contradiction(); why != "" {
		return fmt.Errorf("damaged: %s", why)
	}
	m.merged.Summary.add(&r)
	kept := seedLine{seed: r.Seed, file: file, line: line}
	if m.keep {
		kept.text = bytes.Clone(text)
	}
	m.merged.lines = append(m.merged.lines, kept)
	return nil
}

// contradiction says what no run can have as its result, "" for nothing.
func (r *Result) contradiction() string {
	sum, err := hex.DecodeString(strings.TrimPrefix(r.Fingerprint, "sha256:"))
	switch {
	case r.VirtualSeconds < 0:
		return fmt.Sprintf("no soak takes %g virtual seconds", r.VirtualSeconds)
	case r.OK && (len(r.Failures) > 0 || slices.Contains(slices.Collect(maps.Values(r.Checks)), string(trace.VerdictViolated))):
		return "it is ok, and has failures"
	case r.OK && r.Mode == engine.ExactMode && (err != nil || len(sum) != sha256.Size):
		return "an exact run without its fingerprint"
	}
	return ""
}

// complete returns an error unless each seed is there once.
func (m *merger) complete() error {
	lines, s := m.merged.lines, &m.merged.Summary
	slices.SortStableFunc(lines, func(a, b seedLine) int { return cmp.Compare(a.seed, b.seed) })
	for i := 1; i < len(lines); i++ {
		if a, b := lines[i-1], lines[i]; a.seed == b.seed {
			return fmt.Errorf("%s:%d and %s:%d: both hold seed %d; the shards overlap", m.files[a.file], a.line, m.files[b.file], b.line, a.seed)
		}
	}
	whole := m.seeds
	whole.Shard, whole.Shards = 1, 1
	s.Share, s.Of, s.Mode = m.first, whole.Count(), m.mode
	s.Share.Shard = whole.ShardText()
	at := 0
	for seed := range whole.All() {
		if at < len(lines) && lines[at].seed == seed {
			at++
			continue
		}
		return m.missing(seed)
	}
	return nil
}

// missing is the error about a seed that is not there.
func (m *merger) missing(seed int64) error {
	shard := m.seeds
	shard.Shard = seed%shard.Shards + 1
	have := int64(0)
	for _, l := range m.merged.lines {
		if shard.Has(l.seed) {
			have++
		}
	}
	if have == 0 {
		return fmt.Errorf("shard %s is missing; run it, and merge its file too", shard.ShardText())
	}
	return fmt.Errorf("shard %s is cut short: it has %d of %d seeds, the first missing one is %d; run it again", shard.ShardText(), have, shard.Count(), seed)
}
