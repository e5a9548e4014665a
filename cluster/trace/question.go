package trace

import (
	"fmt"
	"strings"
)

// The limits of questions. ChoicesMin is one of scenarios, not of recordings.
const (
	QuestionsMax = 1000
	ChoicesMin   = 2
	ChoicesMax   = 5
	PickedMax    = 1_000_000 // people who pick one choice
)

// Question is a question of a scenario at one moment: asked, then answered, then judged. It is
// never changed in place.
type Question struct {
	Number    int       `json:"number"` // in its scenario, from 1
	Text      string    `json:"text"`
	In        Localized `json:"in,omitempty"`
	Choices   []Choice  `json:"choices"`
	Because   string    `json:"because,omitempty"` // why, once it is judged
	BecauseIn Localized `json:"because_in,omitempty"`
	// Picked is how many people picked each choice: nil until the question is answered, and all
	// zero if it was skipped.
	Picked []int `json:"picked,omitempty"`
	Judged bool  `json:"judged,omitempty"`
}

// Choice is a possible answer to a question.
type Choice struct {
	Text string    `json:"text"`
	In   Localized `json:"in,omitempty"`
	True bool      `json:"true,omitempty"` // it came true; known once the question is judged
}

// True returns the choices that came true, counted from 0. There is exactly one, unless the
// scenario is wrong.
func (q *Question) True() []int {
	var all []int
	for i := range q.Choices {
		if q.Choices[i].True {
			all = append(all, i)
		}
	}
	return all
}

// Votes returns how many people have picked a choice.
func (q *Question) Votes() (all int) {
	for _, n := range q.Picked {
		all += n
	}
	return all
}

// Pick returns the choice that a single person has picked, counted from 0. It returns -1 for a
// question that was skipped or that several people have answered.
func (q *Question) Pick() int {
	if q.Votes() == 1 {
		for i, n := range q.Picked {
			if n == 1 {
				return i
			}
		}
	}
	return -1
}

// Waits reports whether the question has not been answered.
func (q *Question) Waits() bool { return q.Picked == nil && !q.Judged }

// applyQuestion records the latest question.
func (s *State) applyQuestion(e *Event) {
	if e.Question != nil {
		s.Question, s.QuestionAt, s.QuestionShown = e.Question, e.At, true
	}
}

// narrateQuestion adds a question to the story as it is asked, and its answer with the reason as it
// is judged.
func (s *State) narrateQuestion(q *Question) {
	switch {
	case q.Judged:
		text, in := q.outcome()
		s.addCaption(fmt.Sprintf("A%d: %s", q.Number, text), in.prefixed(fmt.Sprintf("A%d: ", q.Number)))
		if q.Because != "" {
			s.addCaption(q.Because, q.BecauseIn)
		}
	case q.Picked == nil:
		s.addCaption(fmt.Sprintf("Q%d: %s", q.Number, q.Text), q.In.prefixed(fmt.Sprintf("Q%d: ", q.Number)))
	}
}

// Said returns what an event tells the audience in the language of its scenario: a caption, a
// chapter, a question or an answer. It returns "" for any other event.
func (e *Event) Said() string {
	switch q := e.Question; {
	case (e.Kind == KindCaption || e.Kind == KindChapter) && e.Peer == "":
		return e.Text
	case e.Kind != KindQuestion || q == nil:
	case q.Waits():
		return fmt.Sprintf("Q%d: %s", q.Number, q.Text)
	case q.Judged:
		text, _ := q.outcome()
		return strings.TrimSuffix(fmt.Sprintf("A%d: %s: %s", q.Number, text, q.Because), ": ")
	}
	return ""
}

// outcome says which choice came true.
func (q *Question) outcome() (text string, in Localized) {
	var texts []string
	for _, i := range q.True() {
		texts = append(texts, q.Choices[i].Text)
	}
	switch len(texts) {
	case 0:
		return "no choice came true", nil
	case 1:
		return texts[0], q.Choices[q.True()[0]].In
	}
	return fmt.Sprintf("%d choices came true: %s", len(texts), strings.Join(texts, "; ")), nil
}

// addCaption adds a text for the audience, with its translations, to the story.
func (s *State) addCaption(text string, in Localized) {
	s.addLine(TopicPresentation, "", "%s", text)
	s.Story[len(s.Story)-1].In = in
}

// prefixed returns the translations behind the same prefix.
func (t Localized) prefixed(prefix string) Localized {
	if t == nil {
		return nil
	}
	all := Localized{}
	for language, text := range t {
		all[language] = prefix + text
	}
	return all
}
