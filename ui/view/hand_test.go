package view

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/cluster/trace/message"
	"capsize/ui/style"
	"capsize/ui/uitest"
)

// handScreen is the program around a hand view: it keeps what the view submits.
type handScreen struct {
	Screen
	state     *trace.State
	submitted []string
	toast     string
}

func (s *handScreen) State() *trace.State       { return s.state }
func (s *handScreen) Submit(command, _ string)  { s.submitted = append(s.submitted, command) }
func (s *handScreen) Toast(text string, _ bool) { s.toast = text }

// newHand returns a hand view over a sample, and the program around it.
func newHand(w *uitest.Sample) (*Hand, *handScreen) {
	s := &handScreen{state: &w.State}
	return &Hand{Screen: s}, s
}

// press presses a key of the view.
func (v *Hand) press(keys ...string) {
	for _, pressed := range keys {
		for _, b := range v.Keys() {
			for _, k := range b.Keys() {
				if k == pressed {
					b.Do(pressed)
				}
			}
		}
	}
}

// heldPicture returns a picture of the hand view.
func heldPicture(w *uitest.Sample, width, height int) *picture {
	f := frameOf(w, width, height)
	f.Hand.Screen = &handScreen{state: &w.State}
	f.view, f.Paused = f.Hand, true
	f.Move(true)
	return f
}

func TestHandViewMatchesGolden(t *testing.T) {
	samples := map[string]*uitest.Sample{"five": uitest.Held(), "twenty-five": uitest.HeldMany(400)}
	for _, c := range []struct {
		sample string
		w, h   int
		keys   []string
	}{
		{"five", 60, 18, nil},
		{"five", 80, 24, nil},
		{"five", 120, 36, []string{"down", "shift+down"}},
		{"five", 200, 60, []string{"right", "down"}},
		{"twenty-five", 80, 24, []string{"right"}},
		{"twenty-five", 120, 36, []string{"ctrl+down", "down"}},
		{"twenty-five", 200, 60, nil},
	} {
		t.Run(fmt.Sprintf("%s-%dx%d", c.sample, c.w, c.h), func(t *testing.T) {
			f := heldPicture(samples[c.sample], c.w, c.h)
			f.Hand.press(c.keys...)
			if p := f.Hand.Packet(); p != nil {
				f.Pointed = p.ID
			}
			golden.RequireEqual(t, plain(f))
		})
	}
	t.Run("ascii", func(t *testing.T) {
		f := heldPicture(samples["five"], 80, 24)
		f.Glyphs, f.Theme = style.ASCII, style.Mono
		golden.RequireEqual(t, plain(f))
	})
	t.Run("colour", func(t *testing.T) {
		text, _ := heldPicture(samples["five"], 80, 24).render()
		golden.RequireEqual(t, text)
	})
}

func TestHandKeysSubmitCommands(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want string
	}{
		{[]string{"enter"}, "deliver #22"},
		{[]string{"down", "enter"}, "deliver #20"},
		{[]string{"down", "up", "up", "x"}, "drop #22"},
		{[]string{"down", "down", "2"}, "deliver #24 twice"},
		{[]string{"down", "down", "down", "down", "down", "enter"}, "deliver #23"},
		{[]string{"right", "enter"}, "fire n1 election"},
		{[]string{"right", "down", "enter"}, "fire n4 election"},
		{[]string{"right", "down", "left", "enter"}, "deliver #22"},
	} {
		v, s := newHand(uitest.Held())
		v.press(c.keys...)
		if got := strings.Join(s.submitted, ", "); got != c.want {
			t.Errorf("%v submits %q, want %q", c.keys, got, c.want)
		}
	}
}

func TestCursorStaysWhenItsPacketIsDelivered(t *testing.T) {
	w := uitest.Held()
	v, s := newHand(w)
	v.press("down", "enter")
	gone := w.State.Waiting[0]
	w.End(gone.Packet, trace.Delivered, "")
	if v.press("enter"); strings.Join(s.submitted, ", ") != "deliver #20, deliver #24" {
		t.Errorf("submitted %q: the next packet must come under the cursor", s.submitted)
	}
}

func TestReleaseKeepsTheUsersOrder(t *testing.T) {
	for _, c := range []struct {
		keys []string
		want string
	}{
		{nil, "release"},
		{[]string{"shift+down"}, "deliver #20 #22 #24, release"},
		{[]string{"shift+down", "shift+up"}, "deliver #22 #20 #24, release"}, // the list's order is not that of sending
		{[]string{"shift+up"}, "release"},
		{[]string{"down", "shift+up", "down", "shift+down", "shift+down"}, "deliver #20 #24 #23, release"},
	} {
		v, _ := newHand(uitest.Held())
		v.press(c.keys...)
		commands, _ := v.ReleaseCommands()
		if got := strings.Join(commands, ", "); got != c.want {
			t.Errorf("%v releases by %q, want %q", c.keys, got, c.want)
		}
		if again, _ := v.ReleaseCommands(); len(again) != 1 {
			t.Errorf("%v: a second release is %q", c.keys, again)
		}
	}
}

// A line of the command language is at most 1000 characters long.
func TestReleaseOfManyPacketsIsSeveralCommands(t *testing.T) {
	v, _ := newHand(uitest.HeldMany(400))
	v.Scroll(400)
	v.press("shift+up")
	commands, delivered := v.ReleaseCommands()
	named := 0
	for _, command := range commands {
		if named += strings.Count(command, "#"); len(command) > 1000 {
			t.Errorf("a command of %d characters", len(command))
		}
	}
	if named != delivered || delivered < 300 || commands[len(commands)-1] != "release" {
		t.Errorf("%d packets in %d commands, the last is %q", named, len(commands), commands[len(commands)-1])
	}
}

func TestHandViewSaysWhyThereIsNothingToDo(t *testing.T) {
	v, s := newHand(uitest.Healthy(3))
	if v.press("enter"); len(s.submitted) > 0 || !strings.Contains(s.toast, "M holds all links") {
		t.Errorf("submitted %q, said %q", s.submitted, s.toast)
	}
	if text := plain(heldPicture(uitest.Healthy(3), 80, 24)); !strings.Contains(text, "no link is held") {
		t.Errorf("nothing explains the empty list:\n%s", text)
	}
	w := uitest.Healthy(3)
	w.Hold()
	if text := plain(heldPicture(w, 80, 24)); !strings.Contains(text, "every message that is sent waits here") {
		t.Errorf("nothing explains the empty list while links are held:\n%s", text)
	}
}

// Whatever waits, the row under the cursor is on the screen.
func TestHandCursorIsAlwaysVisible(t *testing.T) {
	w := uitest.HeldMany(400)
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		f := heldPicture(w, size[0], size[1])
		for range 40 {
			f.Hand.Scroll(11)
			if want := fmt.Sprintf("#%d ", f.Hand.Packet().ID); !strings.Contains(plain(f), want) {
				t.Fatalf("%v: packet %s is under the cursor but not on the screen:\n%s", size, want, plain(f))
			}
		}
	}
}

// Where nobody chooses a view, held packets are shown while there are any, without a cursor.
func TestAudienceSeesTheHeldPackets(t *testing.T) {
	w := uitest.Held()
	f := heldPicture(w, 80, 24)
	c, _ := Paint(f.Frame, ForAudience(&w.State))
	if text := c.Render(style.Mono); !strings.Contains(text, "waiting packets: 4") || strings.Contains(text, "\x1b[1;7m") {
		t.Errorf("want the packets without a cursor:\n%s", text)
	}
	if _, ok := ForAudience(&uitest.Healthy(3).State).(*Stage); !ok {
		t.Error("without a hold, want the stage")
	}
}

func TestUpcomingIsSaidInWords(t *testing.T) {
	text := plain(heldPicture(uitest.Held(), 200, 60))
	for _, want := range []string{"n1's election timeout", "in 0.5s to 2.5s", "n2's vote to n1, n4, n5 times out", "in 1.9s"} {
		if !strings.Contains(text, want) {
			t.Errorf("no %q on the screen:\n%s", want, text)
		}
	}
}

// sheetText returns the inside of a message as lines.
func sheetText(w *uitest.Sample, id uint64) string {
	x, ok := message.Find(w.History(), id)
	if !ok {
		return "not found"
	}
	sheet := MessageSheet(x, id, w.At)
	lines := []string{sheet.Title}
	for _, row := range sheet.Rows {
		lines = append(lines, strings.TrimSpace(row.Label+" "+row.Text))
	}
	return strings.Join(lines, "\n")
}

func TestMessageSheetSaysEverything(t *testing.T) {
	w := uitest.Held()
	w.Advance(300 * time.Millisecond)
	for _, c := range []struct {
		id   uint64
		want []string
	}{
		{20, []string{"#20 vote request, n2 to n4", "term 3", "asks for a vote in term 3: n2's log ends at 127 (term 2)", "held for 0.4s so far; its caller gives up in 1.6s", "arrived not yet: its link is held", "answer none yet: the request has not reached n4"}},
		{21, []string{"#21 vote request, n2 to n5", "arrived 0:00:31.870, after 100ms", "answer #23 vote reply: denied, held on its way back", "why n2's log ends at 127, its own at 129 (both term 2)"}},
		{22, []string{"#22 vote reply, n1 to n2", "says granted", "answers #19 vote request: log ends at 127 (term 2)", "why n1 had not voted in term 3"}},
		{24, []string{"#24 append request, n3 to n1", "previous entry 127 (term 2)", "entries 128: +1, term 2; 129: +1, term 2", "commit up to entry 126", "about 190 bytes", "no deadline runs for it"}},
	} {
		text := sheetText(w, c.id)
		for _, want := range c.want {
			if !strings.Contains(text, want) {
				t.Errorf("packet %d: no %q in\n%s", c.id, want, text)
			}
		}
	}
}

func TestMessageSheetMatchesGolden(t *testing.T) {
	w := uitest.Held()
	for _, c := range []struct {
		name string
		view string
		w, h int
		id   uint64
	}{
		{"stage", "stage", 120, 36, 21}, {"hand", "hand", 80, 24, 21}, {"append", "hand", 80, 24, 24}, {"small", "hand", 60, 18, 24},
	} {
		t.Run(c.name, func(t *testing.T) {
			x, _ := message.Find(w.History(), c.id)
			f := heldPicture(w, c.w, c.h)
			f.turnTo(c.view)
			f.Move(true)
			f.Sheet = MessageSheet(x, c.id, w.At)
			f.Sheet.Aside = c.view == "stage"
			golden.RequireEqual(t, plain(f))
		})
	}
}

// A recording from elsewhere may claim anything.
func TestMessageSheetOfHostileTextIsHarmless(t *testing.T) {
	w := uitest.Hostile()
	for _, waiting := range w.State.Waiting {
		x, ok := message.Find(w.History(), waiting.ID)
		if !ok {
			t.Fatalf("packet %d not found", waiting.ID)
		}
		for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}} {
			for _, aside := range []bool{false, true} {
				f := heldPicture(w, size[0], size[1])
				f.Sheet = MessageSheet(x, waiting.ID, w.At)
				f.Sheet.Aside = aside
				checkSize(t, "hostile message", f)
				uitest.CheckPrintable(t, "the message", plain(f))
			}
		}
	}
}

// BenchmarkHand compares the frame of the hand view with no packet and with 400.
func BenchmarkHand(b *testing.B) {
	for _, packets := range []int{0, 400} {
		b.Run(fmt.Sprint(packets, " packets"), func(b *testing.B) {
			f := heldPicture(uitest.HeldMany(packets), 200, 60)
			for b.Loop() {
				f.Hand.press("down")
				f.render()
			}
		})
	}
}
