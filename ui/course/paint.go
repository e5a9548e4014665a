package course

import (
	"fmt"
	"strings"
	"time"

	"capsize/cluster/trace"
	"capsize/ui/canvas"
	"capsize/ui/pane"
	"capsize/ui/style"
)

// Page is everything that a picture of the menu is drawn from.
type Page struct {
	*Menu
	Width, Height int
	Glyphs        *style.Glyphs
	Language      string
	Today         time.Time
}

// labels are the texts of the menu in one language.
type labels struct {
	title, intro       string
	done, right        string // of how many
	minutes, today     string
	start, choose, end string // what keys do
}

var english = labels{
	title: "Raft in ten lessons", intro: "Each lesson asks you first. The running cluster gives the answer.",
	done: "%d of %d done", right: "%d/%d right", minutes: "%d min", today: "today",
	start: "start", choose: "choose", end: "leave",
}

// chinese is english as a Chinese engineer would say it.
var chinese = labels{
	title: "Raft 十课", intro: "每一课先请你作答，答案由正在运行的集群给出。",
	done: "完成 %d/%d", right: "答对 %d/%d", minutes: "%d 分钟", today: "今天",
	start: "开始", choose: "选择", end: "离开",
}

// labelsIn returns the texts in a language.
func labelsIn(language string) labels {
	if (trace.Localized{"zh": "zh"}).In(language, "") == "zh" {
		return chinese
	}
	return english
}

const (
	// pageWidth is how wide the list gets at most: longer lines are hard to follow.
	pageWidth = 100
	headRows  = 3 // title, intro, and a blank row
	footRows  = 5 // a blank row, the summary (two), a message, the keys
	// The widths of the columns at the right end. The last one needs a list of visitedFrom cells.
	minutesWidth, rightWidth, visitedWidth = 9, 11, 12
	visitedFrom                            = 70
)

// painter draws one page.
type painter struct {
	*canvas.Canvas
	Page
	labels
	hits    []pane.HitBox
	x, w    int // of the list
	spacing int // rows of a lesson: 1, 2 with its summary, 3 with a blank row too
}

// Paint draws the menu, and returns the canvas and what can be clicked. A lesson's row stands for
// the key that starts it.
func Paint(page Page) (*canvas.Canvas, []pane.HitBox) {
	p := &painter{Canvas: canvas.New(max(page.Width, 0), max(page.Height, 0), page.Glyphs.Ellipsis), Page: page, labels: labelsIn(page.Language)}
	if page.Width < pane.MinWidth || page.Height < pane.MinHeight {
		p.Put(0, p.H/2, p.W, fmt.Sprintf("have %dx%d, need %dx%d", p.W, p.H, pane.MinWidth, pane.MinHeight), style.Warn)
		return p.Canvas, nil
	}
	p.w = min(p.W-4, pageWidth)
	p.x = (p.W - p.w) / 2
	p.spacing = min(max((p.H-headRows-footRows-2)/max(len(p.Lessons), 1), 1), 3)
	top := max((p.H-headRows-footRows-p.spacing*len(p.Lessons))/3, 0)
	p.head(top)
	p.list(top + headRows)
	p.foot()
	return p.Canvas, p.hits
}

// head draws the title, and what has been done so far.
func (p *painter) head(y int) {
	done, right, asked := 0, 0, 0
	for _, l := range p.Lessons {
		r := p.Store.Result(l.Name())
		right, asked = right+r.Right, asked+r.Asked
		if r.Done {
			done++
		}
	}
	p.Put(p.x+2, y, p.w, p.title, style.Accent|style.Bold)
	score := fmt.Sprintf(p.done, done, len(p.Lessons))
	if asked > 0 {
		score += "  " + p.Glyphs.Dot + "  " + fmt.Sprintf(p.right, right, asked)
	}
	p.PutRight(p.x+p.w-1, y, p.w/2, score, style.Text)
	p.Put(p.x+2, y+1, p.w-4, p.intro, style.Dim)
}

// list draws a row for each lesson, with its summary if there is room. Only if the screen is too
// low for all of them, it scrolls to the cursor.
func (p *painter) list(y int) {
	rows := max((p.H-footRows-y)/p.spacing, 1)
	first := min(max(p.Cursor-rows+1, 0), max(len(p.Lessons)-rows, 0))
	for i := first; i < min(first+rows, len(p.Lessons)); i++ {
		p.lesson(y+(i-first)*p.spacing, i)
	}
}

// lesson draws one lesson.
func (p *painter) lesson(y, i int) {
	l := p.Lessons[i]
	r := p.Store.Result(l.Name())
	text, dim, good := style.Text|style.Bold, style.Dim, style.Good
	if i == p.Cursor {
		text = style.Bold | style.Reverse
		dim, good = text, text
		p.Fill(canvas.Rect(p.x, y, p.w, 1), " ", text)
		p.Set(p.x, y, p.Glyphs.Prompt, text)
	}
	p.hits = append(p.hits, pane.HitBox{X: p.x, Y: y, W: p.w, H: min(p.spacing, 2), Key: l.key()})
	p.PutRight(p.x+4, y, 2, fmt.Sprint(l.Number), text)
	if r.Done {
		p.Set(p.x+5, y, p.Glyphs.Good, good)
	}
	right := p.x + p.w - 1
	column := func(text string, width int, st style.Style) {
		p.PutRight(right, y, width-1, text, st)
		right -= width
	}
	if p.w >= visitedFrom {
		column(p.visited(r), visitedWidth, dim)
	}
	column(p.score(r), rightWidth, good)
	column(fmt.Sprintf(p.minutes, l.Minutes()), minutesWidth, dim)
	p.Put(p.x+7, y, right-p.x-8, l.Script.TitleIn.In(p.Language, l.Script.Title), text)
	if p.spacing > 1 {
		p.Put(p.x+7, y+1, p.w-8, p.summary(l), style.Dim)
	}
}

// summary returns what people learn from a lesson.
func (p *painter) summary(l Lesson) string {
	return l.Script.SummaryIn.In(p.Language, l.Script.Summary)
}

// score returns how many answers were right, "" before any was given.
func (p *painter) score(r Result) string {
	if r.Asked == 0 {
		return ""
	}
	return fmt.Sprintf(p.right, r.Right, r.Asked)
}

// visited returns the day of the last visit, "" before the first one.
func (p *painter) visited(r Result) string {
	day := r.Visited.In(p.Today.Location()).Format(time.DateOnly)
	switch {
	case r.Visited.IsZero():
		return ""
	case day == p.Today.Format(time.DateOnly):
		return p.today
	}
	return day
}

// foot draws a message or, if there is none, the summary of the lesson under the cursor where the
// list shows none. The keys stand below.
func (p *painter) foot() {
	text, indent, st := p.Message, 2, style.Warn
	if text == "" && p.spacing == 1 {
		text, indent, st = p.summary(p.Lesson()), 7, style.Text
	}
	lines := canvas.Wrap(canvas.Sanitize(text), p.w-indent-2)
	for i, line := range lines[:min(len(lines), footRows-2)] {
		p.Put(p.x+indent, p.H-footRows+1+i, p.w-indent-1, line, st)
	}
	x := p.x + 2
	for _, hint := range [][2]string{
		{"enter", p.start}, {p.Glyphs.Arrows[3] + p.Glyphs.Arrows[1], p.choose}, {"q", p.end},
	} {
		x = p.Put(x, p.H-1, p.x+p.w-x, hint[0], style.Accent|style.Bold)
		x = p.Put(x+1, p.H-1, p.x+p.w-x, strings.TrimSpace(hint[1]), style.Dim) + 3
	}
}
