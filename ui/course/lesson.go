package course

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"capsize/cluster/scenario"
	"capsize/ui/pane"
)

// Lesson is a built-in scenario that teaches one thing.
type Lesson struct {
	Number    int // from 1
	Script    *scenario.Script
	Length    time.Duration // at least: to read its texts, and for what it waits
	Questions int
}

// Name returns the name of the lesson's scenario.
func (l Lesson) Name() string { return l.Script.Name }

// What a learner needs beside the time to read.
const (
	deciding   = 10 * time.Second // on an answer
	delivering = 20 * time.Second // of the messages by hand
)

// Minutes returns in whole minutes how long a lesson usually takes.
func (l Lesson) Minutes() int {
	return int((l.Length + time.Duration(l.Questions)*deciding + delivering).Round(time.Minute) / time.Minute)
}

// Lessons returns the lessons in their order. The error is that of a built-in scenario with a
// mistake.
func Lessons() ([]Lesson, error) {
	var all []Lesson
	for i, name := range scenario.Lessons() {
		script, err := scenario.Load(name)
		if err != nil {
			return nil, err
		}
		length, questions := measure(script)
		all = append(all, Lesson{Number: i + 1, Script: script, Length: length, Questions: questions})
	}
	return all, nil
}

// conditionalWait is how long a wait for a condition usually takes.
const conditionalWait = 2 * time.Second

// measure returns how long a script takes on stage, at least, and how many questions it asks.
func measure(s *scenario.Script) (length time.Duration, questions int) {
	for line := range strings.Lines(s.Text()) {
		c := scenario.SplitCommand(strings.TrimRight(line, "\n"))
		text := strings.TrimSpace(strings.TrimPrefix(c.Text, c.Verb))
		switch c.Verb {
		case "ask":
			questions++
			length += pane.ReadingTime(text)
		case "choice":
			text, _, _ = strings.Cut(text, " when ")
			length += pane.ReadingTime(text)
		case "say", "because":
			length += pane.ReadingTime(text)
		case "wait":
			if d, err := time.ParseDuration(c.Args[0]); err == nil {
				length += d
			} else {
				length += conditionalWait
			}
		}
	}
	return length, questions
}

// Find returns the index of the lesson that a user means by its number, its name or the beginning of
// its name. The error says what there is.
func Find(lessons []Lesson, what string) (int, error) {
	if number, err := strconv.Atoi(what); err == nil {
		if number < 1 || number > len(lessons) {
			return 0, fmt.Errorf("no lesson %d: there are 1 to %d", number, len(lessons))
		}
		return number - 1, nil
	}
	if i := slices.IndexFunc(lessons, func(l Lesson) bool { return l.Name() == what }); i >= 0 {
		return i, nil
	}
	var begun []int
	for i, l := range lessons {
		if what != "" && strings.HasPrefix(l.Name(), what) {
			begun = append(begun, i)
		}
	}
	switch len(begun) {
	case 1:
		return begun[0], nil
	case 0:
		return 0, fmt.Errorf("no lesson %q: use a number from 1 to %d, or a name like %s", what, len(lessons), lessons[0].Name())
	}
	return 0, fmt.Errorf("%q begins the name of %d lessons: use a number from 1 to %d", what, len(begun), len(lessons))
}
