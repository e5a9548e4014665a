package faults

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// ParseLinkFault is the inverse of [LinkFault].String: it parses the text of one of this
// package's faults, such as "cut only vote,prevote". It serves command languages and
// recordings; a test can use the types directly.
func ParseLinkFault(s string) (LinkFault, error) {
	spec, limit, limited := strings.Cut(s, " only ")
	fault, err := parseUnlimited(strings.Fields(spec))
	if err == nil && limited {
		var kinds []Kind
		for name := range strings.SplitSeq(limit, ",") {
			kind, wrong := ParseKind(name)
			if wrong != nil {
				return nil, fmt.Errorf("link fault %q: %w", s, wrong)
			}
			kinds = append(kinds, kind)
		}
		fault = Only(fault, kinds...)
	}
	// Each fault has exactly one text, so ignored or repeated words show up as a difference.
	if err != nil || fault.String() != s {
		return nil, fmt.Errorf("unknown link fault %q", s)
	}
	return fault, nil
}

// parseUnlimited parses the words of a fault without a limit to kinds. It may ignore
// words it does not know: the caller compares the result's text with the input.
func parseUnlimited(words []string) (LinkFault, error) {
	words = append(words, "", "", "", "")
	switch words[0] {
	case Cut{}.Name():
		return Cut{}, nil
	case Refuse{}.Name():
		return Refuse{}, nil
	case Jam{}.Name():
		return Jam{}, nil
	case Hold{}.Name():
		return Hold{}, nil
	case Delay{}.Name():
		mean, err := time.ParseDuration(words[1])
		if err != nil || words[2] == "" {
			return Delay{Mean: mean}, err
		}
		jitter, err := time.ParseDuration(words[3])
		return Delay{Mean: mean, Jitter: jitter}, err
	case Lose{}.Name():
		percent, err := parsePercent(words[1])
		return Lose{Percent: percent}, err
	case Duplicate{}.Name():
		percent, err := parsePercent(words[1])
		if err != nil || words[2] == "" {
			return Duplicate{Percent: percent}, err
		}
		after, err := time.ParseDuration(words[3])
		return Duplicate{Percent: percent, After: after}, err
	case Reorder{}.Name():
		percent, err := parsePercent(words[1])
		return Reorder{Percent: percent}, err
	case Bandwidth{}.Name():
		rate, err := ParseRate(words[1])
		return Bandwidth{BytesPerSecond: rate}, err
	}
	return nil, fmt.Errorf("unknown fault %q", words[0])
}

// formatPercent formats a percentage without trailing zeros or a percent sign.
func formatPercent(percent float64) string { return strconv.FormatFloat(percent, 'f', -1, 64) }

// parsePercent is the inverse of formatPercent, followed by a percent sign.
func parsePercent(s string) (float64, error) {
	percent, err := strconv.ParseFloat(strings.TrimSuffix(s, "%"), 64)
	if err == nil && !(percent >= 0 && percent <= 100) { // also catches NaN
		err = fmt.Errorf("%s is not between 0%% and 100%%", s)
	}
	return percent, err
}

// ParseDiskFault is the inverse of [DiskFault].String: it parses the text of a fault, such
// as "slow 50ms". A healthy disk has no fault: "" and "ok" return nil.
func ParseDiskFault(s string) (DiskFault, error) {
	for _, fault := range []DiskFault{Stall{}, Fail{}, Full{}, Lie{}, Corrupt{}, CorruptSnapshot{}} {
		if s == fault.String() {
			return fault, nil
		}
	}
	if s == "" || s == (noFault{}).String() {
		return nil, nil
	}
	if latency, slow := strings.CutPrefix(s, "slow "); slow {
		if d, err := time.ParseDuration(latency); err == nil && d >= 0 && d.String() == latency {
			return Slow{Latency: d}, nil
		}
	}
	return nil, fmt.Errorf("unknown disk fault %q", s)
}
