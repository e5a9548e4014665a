package view

import (
	"fmt"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
)

// questionWords are the words around a question, in the languages of the built-in scenarios.
var questionWords = map[string]trace.Localized{
	"question":                 {"zh": "问题"},
	"true":                     {"zh": "正确"},
	"your answer":              {"zh": "你的答案"},
	"your answer is right":     {"zh": "你答对了"},
	"your answer is wrong":     {"zh": "你答错了"},
	"%d of %d are right":       {"zh": "%[2]d 人中有 %[1]d 人答对"},
	"answer":                   {"zh": "回答"},
	"skip":                     {"zh": "跳过"},
	"go on":                    {"zh": "继续"},
	"votes, like 1:12 2:30":    {"zh": "输入票数，如 1:12 2:30"},
	"no choice came true":      {"zh": "没有一个选项成立"},
	"several choices are true": {"zh": "有多个选项成立"},
}

// questionLevel is how much room a question takes.
type questionLevel struct {
	big      bool // numbers in big digits
	gap      int  // rows between two choices
	textRows int  // rows of a choice's text at most
	barRows  int  // rows of the bar for the votes
	leaves   int  // rows that it leaves to the rest of the screen
}

// questionLevels are tried in this order. The last one always serves.
var questionLevels = []questionLevel{
	{true, 1, 3, 2, 13},
	{true, 1, 2, 1, 9},
	{false, 1, 2, 1, 9},
	{false, 0, 2, 1, 5},
	{false, 0, 1, 1, 4},
	{false, 0, 1, 0, 1},
}

// bigMinHeight is the height of a screen from which the choices have big numbers.
const bigMinHeight = 30

// questionPanel draws a question over the bottom of the screen.
type questionPanel struct {
	*pane.Painter
	q     *trace.Question
	level questionLevel
	r     canvas.Rectangle
	votes []int // to show as bars, nil for none
	all   int   // the votes together
}

// drawQuestion draws the question that the audience looks at: large while it waits and once it is
// judged, on the band in between.
func drawQuestion(p *pane.Painter, band canvas.Rectangle) {
	if !p.ShowsQuestion() || len(p.State.Question.Choices) == 0 {
		return
	}
	d := &questionPanel{Painter: p, q: p.State.Question}
	if !d.q.Waits() && !d.q.Judged {
		if !band.Empty() {
			d.compact(band)
		}
		return
	}
	d.countVotes()
	bottom := p.Height
	if !p.Presenting {
		bottom -= 2 // the status line and the footer
	}
	for _, d.level = range questionLevels {
		if d.level.big && (!p.Glyphs.BigDigits || p.Height < bigMinHeight) {
			continue
		}
		h := d.height()
		if d.r = canvas.Rect(0, max(bottom-h, 1), p.Width, h); h <= bottom-d.level.leaves {
			break
		}
	}
	d.draw()
}

// in returns a text in the language of the audience.
func (d *questionPanel) in(in trace.Localized, text string) string {
	return canvas.Sanitize(in.In(d.Language, text))
}

// word returns one of the questionWords in the language of the audience.
func (d *questionPanel) word(text string) string { return questionWords[text].In(d.Language, text) }

// countVotes finds the votes to show: those of a room, but not that of a single person.
func (d *questionPanel) countVotes() {
	votes := d.q.Picked
	if d.q.Waits() && d.Asking != nil {
		votes = d.Asking.Votes
	}
	for _, n := range votes {
		d.all += n
	}
	if d.all > 0 && (d.q.Waits() || d.q.Pick() < 0) {
		d.votes = votes
	}
}

// vote returns the votes of a choice.
func (d *questionPanel) vote(i int) int {
	if i < len(d.votes) {
		return d.votes[i]
	}
	return 0
}

// width is the width of the texts.
func (d *questionPanel) width() int {
	w := d.Width - 8
	if d.ShowKeys {
		w -= 6
	}
	return w
}

// numberWidth is the width of a choice's number, with the space after it.
func (d *questionPanel) numberWidth() int {
	if d.level.big {
		return canvas.BigWidth("1") + 3
	}
	return 3
}

// choiceRows returns the rows of a choice's text.
func (d *questionPanel) choiceRows(i int) []string {
	c := &d.q.Choices[i]
	text := d.in(c.In, c.Text)
	if d.votes != nil && d.level.barRows == 0 {
		text = fmt.Sprintf("(%d) %s", d.vote(i), text)
	}
	return d.wrap(text, d.width()-d.numberWidth()-d.tagWidth(), d.level.textRows)
}

// tagWidth is the room for what is said behind a choice once it is judged.
func (d *questionPanel) tagWidth() int {
	if !d.q.Judged {
		return 0
	}
	return canvas.Width(d.word("your answer")) + 3
}

// wrap breaks a text into rows. What does not fit ends in an ellipsis.
func (d *questionPanel) wrap(text string, w, rows int) []string {
	lines := canvas.Wrap(text, w)
	if len(lines) > rows {
		lines = lines[:rows]
		lines[rows-1] = canvas.Truncate(lines[rows-1], w-1, "") + d.Glyphs.Ellipsis
	}
	return lines
}

// bars returns the rows of a bar.
func (d *questionPanel) bars() int {
	if d.votes == nil {
		return 0
	}
	return d.level.barRows
}

// choiceHeight returns the rows of a choice, with its bar.
func (d *questionPanel) choiceHeight(i int) int {
	h := len(d.choiceRows(i)) + d.bars()
	if d.level.big {
		h = max(h, canvas.BigHeight)
	}
	return h
}

// question returns the rows of the question's text.
func (d *questionPanel) question() []string {
	return d.wrap(d.in(d.q.In, d.q.Text), d.width(), d.level.textRows)
}

// reason returns what follows the choices once they are judged: whether the answer is right, and
// the rows of the reason.
func (d *questionPanel) reason() (verdict string, because []string) {
	if !d.q.Judged {
		return "", nil
	}
	return d.verdict(), d.wrap(d.in(d.q.BecauseIn, d.q.Because), d.width(), 3)
}

// verdict says whether the answer is right.
func (d *questionPanel) verdict() string {
	right := d.q.True()
	switch pick := d.q.Pick(); {
	case len(right) == 0:
		return d.Glyphs.Alarm + " " + d.word("no choice came true")
	case len(right) > 1:
		return d.Glyphs.Alarm + " " + d.word("several choices are true")
	case d.votes != nil:
		return d.Glyphs.Cursor + " " + fmt.Sprintf(d.word("%d of %d are right"), d.vote(right[0]), d.all)
	case pick < 0:
		return ""
	case pick == right[0]:
		return d.Glyphs.Good + " " + d.word("your answer is right")
	}
	return d.Glyphs.Killed + " " + d.word("your answer is wrong")
}

// height returns the rows that the panel takes.
func (d *questionPanel) height() int {
	h := 1 + d.space() + len(d.question()) + d.space() + 1
	for i := range d.q.Choices {
		h += d.choiceHeight(i) + d.level.gap
	}
	h -= d.level.gap
	verdict, because := d.reason()
	if verdict != "" {
		h += d.space() + 1
	}
	if len(because) > 0 {
		h += d.space() + len(because)
	}
	return h + d.space()
}

// space is the rows between the parts of the panel.
func (d *questionPanel) space() int {
	if d.level.textRows > 1 {
		return 1
	}
	return 0
}
