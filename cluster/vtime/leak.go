package vtime

import (
	"fmt"
	"runtime"
	"strings"
)

// LeakError reports goroutines of a bubble that can never end. They stay, blocked, until
// the program ends.
type LeakError struct {
	Stacks []string // of the goroutines, as [runtime.Stack] writes them
	cause  any      // what synctest says
}

func (e *LeakError) Error() string {
	text := fmt.Sprintf("%d goroutines leaked in virtual time: %v", len(e.Stacks), e.cause)
	if len(e.Stacks) > 0 {
		text += "; the first is " + strings.Join(strings.Fields(e.Stacks[0]), " ")
	}
	return text
}

// stacksMax limits how much of the goroutines' stacks is read, in bytes.
const stacksMax = 16 << 20

// bubbleLabel returns what marks the goroutines of the caller's bubble in a stack trace,
// such as "synctest bubble 7]", or "" outside of a bubble.
func bubbleLabel() string {
	first, _, _ := strings.Cut(stacks(1<<10, false), "\n")
	if i := strings.Index(first, "synctest bubble "); i >= 0 {
		return strings.TrimSuffix(first[i:], ":")
	}
	return ""
}

// bubbleStacks returns the stacks of all goroutines with a label.
func bubbleStacks(label string) []string {
	var out []string
	for stack := range strings.SplitSeq(stacks(stacksMax, true), "\n\n") {
		header, _, _ := strings.Cut(stack, "\n")
		if label != "" && strings.Contains(header, label) {
			out = append(out, stack)
		}
	}
	return out
}

// stacks is [runtime.Stack] as a string of at most limit bytes.
func stacks(limit int, all bool) string {
	for size := 64 << 10; ; size *= 2 {
		buffer := make([]byte, min(size, limit))
		if n := runtime.Stack(buffer, all); n < len(buffer) || size >= limit {
			return string(buffer[:n])
		}
	}
}
