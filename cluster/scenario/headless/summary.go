package headless

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"capsize/cluster/engine"
)

// Summary adds up the results of a soak with many seeds. It keeps little of each.
type Summary struct {
	Share          Share // of any of the results
	Mode           engine.Mode
	Of, Done       int64 // seeds
	Failed         []FailedSeed
	Faults         map[string]int // injected, by kind
	Ops            Ops
	VirtualSeconds float64
	Wall           time.Duration // 0 if unknown

	prints []seedPrint
}

// FailedSeed is a seed whose run failed.
type FailedSeed struct {
	Seed  int64
	Text  string // the first failure
	Found string // the scenario that keeps it, "" for none
}

// seedPrint is the fingerprint of a seed's run.
type seedPrint struct {
	seed int64
	sum  [sha256.Size]byte
}

// add adds a result.
func (s *Summary) add(r *Result) {
	if s.Faults == nil {
		s.Faults = map[string]int{}
	}
	s.Done++
	s.Mode = r.Mode
	for kind, n := range r.Faults {
		s.Faults[kind] += n
	}
	s.Ops = Ops{OK: s.Ops.OK + r.Ops.OK, Failed: s.Ops.Failed + r.Ops.Failed, Unknown: s.Ops.Unknown + r.Ops.Unknown}
	s.VirtualSeconds += r.VirtualSeconds
	if sum, err := hex.DecodeString(strings.TrimPrefix(r.Fingerprint, "sha256:")); err == nil && len(sum) == sha256.Size {
		s.prints = append(s.prints, seedPrint{r.Seed, [sha256.Size]byte(sum)})
	}
	if !r.OK {
		failed := FailedSeed{Seed: r.Seed, Text: "failed"}
		if len(r.Failures) > 0 {
			failed.Text = strings.Join(strings.Fields(r.Failures[0].Message()), " ")
		}
		if r.Share != nil {
			failed.Found = r.Found
		}
		s.Failed = append(s.Failed, failed)
	}
}

// Fingerprint identifies all runs: the SHA-256 of a line with seed and fingerprint for each seed, in
// their order. It is "" unless every seed has ended and every run is exact.
func (s *Summary) Fingerprint() string {
	if s.Done != s.Of || int64(len(s.prints)) != s.Of {
		return ""
	}
	slices.SortFunc(s.prints, func(a, b seedPrint) int { return cmp.Compare(a.seed, b.seed) })
	digest := sha256.New()
	for _, p := range s.prints {
		_, _ = fmt.Fprintf(digest, "%d sha256:%x\n", p.seed, p.sum)
	}
	return fmt.Sprintf("sha256:%x", digest.Sum(nil))
}

// OK reports whether every seed has ended well.
func (s *Summary) OK() bool { return s.Done == s.Of && len(s.Failed) == 0 }

// failedShown is how many failed seeds a summary lists.
const failedShown = 20

// WriteText writes the summary for people.
func (s *Summary) WriteText(w io.Writer) error {
	var b strings.Builder
	what := "seeds " + s.Share.Seeds
	if s.Share.Shard != "" && !strings.HasSuffix(s.Share.Shard, "/1") {
		what += ", shard " + s.Share.Shard
	}
	fmt.Fprintf(&b, "soak: %s: %d of %d done, %d failed (%s)\n", what, s.Done, s.Of, len(s.Failed), s.Share.Script)
	slices.SortFunc(s.Failed, func(a, b FailedSeed) int { return cmp.Compare(a.Seed, b.Seed) })
	for _, f := range s.Failed[:min(len(s.Failed), failedShown)] {
		fmt.Fprintf(&b, "soak: seed %d: %s\n", f.Seed, f.Text)
		if f.Found != "" {
			fmt.Fprintf(&b, "  %s\n", Opening(f.Found, s.Mode))
		}
	}
	if more := len(s.Failed) - failedShown; more > 0 {
		fmt.Fprintf(&b, "soak: and %d more\n", more)
	}
	if s.Done > 0 {
		lasted := time.Duration(s.VirtualSeconds * float64(time.Second)).Round(time.Second)
		if s.Mode == engine.ProcessesMode {
			fmt.Fprintf(&b, "soak: real time: %s", lasted)
		} else {
			fmt.Fprintf(&b, "soak: virtual time: %s", lasted)
			if s.Wall > 0 {
				fmt.Fprintf(&b, " in %s, %.0f virtual seconds a second", s.Wall.Round(100*time.Millisecond), s.VirtualSeconds/s.Wall.Seconds())
			}
		}
		fmt.Fprintf(&b, "\nsoak: operations: %s\n", s.Ops)
	}
	if len(s.Faults) > 0 {
		fmt.Fprintf(&b, "soak: faults injected: %s\n", describeFaults(s.Faults))
	}
	if sum := s.Fingerprint(); sum != "" {
		fmt.Fprintf(&b, "soak: %s: traces %s\n", what, sum)
	}
	_, err := io.WriteString(w, b.String())
	return err
}
