package ui

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/charmbracelet/x/ansi"
	"github.com/charmbracelet/x/exp/golden"

	"capsize/cluster/trace"
	"capsize/cluster/vtime"
	"capsize/ui/canvas"
	"capsize/ui/style"
)

func worlds() map[string]*world {
	return map[string]*world{
		"empty": newWorld(), "one": healthy(1), "two": healthy(2), "five": healthy(5), "nine": healthy(9), "ten": healthy(10),
		"twenty-five": healthy(25), "ninety-nine": healthy(99), "dead-leader": deadLeader(), "partition": partitioned(),
		"no-leader": noLeader(), "faulty": faulty(), "huge": huge(), "hostile": hostile(),
		"stale-read": staleRead(), "lost": lostIncrement(),
	}
}

// hostile is a cluster whose every text is meant to do harm.
func hostile() *world {
	evil := "\x1b[2J\x1b]52;c;aGk=\x07\u202e\u200b\u0301\u009b31m\u2028e\u0301\u0301\u0301\u0301世👩\u200d👩\u200d👧\r\n\xff"
	w := newWorld(evil, "a"+evil, evil+"b")
	w.elect(evil, 1, "a"+evil)
	w.emit(trace.Event{Kind: trace.KindCaption, Text: strings.Repeat(evil, 20)})
	w.emit(trace.Event{Kind: trace.KindProcess, Node: "a" + evil, Process: trace.Crashed, Text: evil})
	w.emit(trace.Event{Kind: trace.KindDiskFault, Node: evil, Text: evil})
	w.emit(trace.Event{Kind: trace.KindLinkFault, Node: evil, Peer: evil + "b", Faults: []string{evil}})
	w.pass(time.Second)
	return w
}

// plain is a frame's text without its styles.
func plain(f *picture) string {
	text, _ := f.render()
	return ansi.Strip(text)
}

func TestFramesLookAsTheyDid(t *testing.T) {
	all := worlds()
	for _, c := range []struct {
		world string
		w, h  int
	}{
		{"five", 80, 24},
		{"five", 120, 36},
		{"five", 200, 60},
		{"partition", 120, 36},
		{"partition", 80, 24},
		{"dead-leader", 120, 36},
		{"no-leader", 80, 24},
		{"faulty", 120, 36},
		{"one", 120, 36},
		{"nine", 80, 24},
		{"nine", 120, 36},
		{"twenty-five", 120, 36},
		{"twenty-five", 200, 60},
		{"ninety-nine", 80, 24},
		{"huge", 120, 36},
		{"five", 60, 18},
		{"five", 59, 18},
		{"empty", 80, 24},
	} {
		t.Run(fmt.Sprintf("%s-%dx%d", c.world, c.w, c.h), func(t *testing.T) {
			golden.RequireEqual(t, plain(full(all[c.world].frame(c.w, c.h))))
		})
	}
	t.Run("colour", func(t *testing.T) {
		text, _ := full(all["partition"].frame(120, 36)).render()
		golden.RequireEqual(t, text)
	})
	t.Run("ascii", func(t *testing.T) {
		f := full(all["partition"].frame(120, 36))
		f.glyphs, f.theme = style.ASCII, style.Mono
		golden.RequireEqual(t, plain(f))
	})
	t.Run("menu", func(t *testing.T) {
		f := all["five"].frame(80, 24)
		f.menu = testMenu()
		golden.RequireEqual(t, plain(f))
	})
	t.Run("help", func(t *testing.T) {
		f := all["five"].frame(80, 24)
		f.help = []helpGroup{{"nodes", []helpKey{{key: "k", text: "kill"}, {key: "K", text: "power off"}}}, {"all", testHints}}
		golden.RequireEqual(t, plain(f))
	})
}

func testMenu() *menu {
	return &menu{title: "disk of n3", index: 1, note: "enter sets it", items: []menuItem{
		{"o", "ok", "a sound disk", true}, {"s", "slow", "each write takes longer", false}, {"f", "fail", "every write fails", false},
	}}
}

// full puts packets on their way and the cursor on the leader.
func full(f *picture) *picture {
	if leader := f.state.LeaderNode(); leader != nil {
		f.cursor = leader.ID
		return withSparks(f, leader.ID)
	}
	return f
}

func TestFramesAreExactlyAsLargeAsTheScreen(t *testing.T) {
	for name, w := range worlds() {
		for _, width := range []int{0, 1, 2, 17, 59, 60, 61, 79, 80, 81, 103, 104, 105, 120, 133, 160, 200, 255, 300} {
			for _, height := range []int{0, 1, 2, 17, 18, 19, 23, 24, 27, 28, 29, 36, 41, 43, 60, 77, 100} {
				f := full(w.frame(width, height))
				f.selected, f.stage.logScroll = map[string]bool{f.cursor: true}, width
				f.view = f.views.all[(width+height)%len(f.views.all)]
				f.log.index, f.links.at, f.clients.reach = uint64(height), spot{width%7 - 1, height%7 - 1}, width%len(spans)
				f.links.marked = map[trace.Link]bool{{From: "n1", To: "n2"}: true}
				withAlarm(f)
				if width%2 == 0 {
					f.menu, f.help = testMenu(), []helpGroup{{"keys", testHints}}
				}
				checkSize(t, name+" "+f.view.name(), f)
			}
		}
	}
}

func checkSize(t *testing.T, name string, f *picture) {
	t.Helper()
	text, hits := f.render()
	lines := strings.Split(text, "\n")
	if len(lines) != max(f.height, 1) {
		t.Fatalf("%s %dx%d: %d lines", name, f.width, f.height, len(lines))
	}
	for i, line := range lines {
		if w := ansi.StringWidth(line); w > f.width {
			t.Fatalf("%s %dx%d: line %d is %d wide: %q", name, f.width, f.height, i, w, line)
		}
		for _, r := range ansi.Strip(line) {
			if unicode.IsControl(r) || unicode.Is(unicode.Cf, r) {
				t.Fatalf("%s %dx%d: line %d holds %U", name, f.width, f.height, i, r)
			}
		}
	}
	for _, h := range hits {
		if h.x < 0 || h.y < 0 || h.w < 0 || h.h < 0 || h.x+h.w > f.width || h.y+h.h > f.height {
			t.Fatalf("%s %dx%d: a hit leaves the screen: %+v", name, f.width, f.height, h)
		}
	}
}

func TestStylesAreTheOnlySequencesWritten(t *testing.T) {
	f := full(hostile().frame(120, 36))
	f.command, f.toast = "say \x1b[2J", toast{text: "\x1b]0;x\x07", bad: true}
	text, _ := f.render()
	for i, part := range strings.Split(text, "\x1b") {
		if i == 0 {
			continue
		}
		end := strings.IndexByte(part, 'm')
		if end < 0 || part[0] != '[' || strings.Trim(part[1:end], "0123456789;") != "" {
			t.Fatalf("not a style: %q", part)
		}
	}
}

func TestNoColorMeansAttributesOnly(t *testing.T) {
	f := full(partitioned().frame(120, 36))
	f.theme = style.Mono
	text, _ := f.render()
	if strings.Contains(text, "38;") || strings.Contains(text, "48;") {
		t.Error("a colour was written")
	}
}

func TestASCIIHasNoOtherGlyph(t *testing.T) {
	for name, w := range worlds() {
		if name == "hostile" {
			continue
		}
		for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
			for v := range newViews(nil).all {
				f := withAlarm(full(w.frame(size[0], size[1])))
				f.glyphs, f.view = style.ASCII, f.views.all[v]
				for _, r := range plain(f) {
					if r > unicode.MaxASCII {
						t.Errorf("%s, %s view, %v: %q", name, f.view.name(), size, r)
					}
				}
			}
		}
	}
}

func TestSameFrameSamePicture(t *testing.T) {
	w := partitioned()
	first, _ := full(w.frame(120, 36)).render()
	for range 5 {
		if again, _ := full(w.frame(120, 36)).render(); again != first {
			t.Fatal("two pictures of one frame differ")
		}
	}
}

func TestHeaderSaysWhatTheClockDoes(t *testing.T) {
	f := healthy(5).frame(120, 36)
	for speed, want := range map[float64]string{1: "1x", 100: "100x", 0.01: "1/100x", 1.0 / 3: "1/3x", vtime.Max: "max"} {
		f.speed = speed
		if line, _, _ := strings.Cut(plain(f), "\n"); !strings.Contains(line, "▶ "+want+" ") {
			t.Errorf("%v: %q", speed, line)
		}
	}
	f.paused = true
	if line, _, _ := strings.Cut(plain(f), "\n"); !strings.Contains(line, "paused") {
		t.Errorf("paused: %q", line)
	}
}

func TestHeaderSaysWhyNobodyLeads(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}} {
		line, _, _ := strings.Cut(plain(noLeader().frame(size[0], size[1])), "\n")
		if want := "no leader: 2 of 5 voters"; !strings.Contains(line, want) {
			t.Errorf("%v: %q", size, line)
		}
	}
}

func TestHeaderHasNoLabelWithoutItsValue(t *testing.T) {
	for w := minWidth; w < 130; w++ {
		f := healthy(5).frame(w, 24)
		f.state.Checks = []trace.Check{{Name: "linearizable", Verdict: trace.VerdictOK, Count: 2310}}
		line, _, _ := strings.Cut(plain(f), "\n")
		if found := regexp.MustCompile(`(term|leader|commit|quorum|·)(   .*)?$`).FindString(line); found != "" {
			t.Errorf("%d columns: %q", w, line)
		}
	}
}

func TestEntriesJustCutOffAreStruckThrough(t *testing.T) {
	w := partitioned()
	w.emit(trace.Event{Kind: trace.KindTruncated, Node: "n3", Index: 128, Last: 130})
	f := w.frame(120, 36)
	before := plain(f)
	f.cut = map[string]float64{"n3": 1}
	if during := plain(f); strings.Contains(before, "/+2/") || strings.Count(during, "/+2/") != 3 {
		t.Errorf("not three entries struck through:\n%s", during)
	}
}

func TestAPartitionIsAWallAndASingleCutIsAMark(t *testing.T) {
	w := healthy(5)
	for _, other := range []string{"n2", "n3", "n4", "n5"} {
		w.cutLinks("n1", other)
	}
	if text := plain(w.frame(120, 36)); strings.Count(text, "▪") < 10 || !strings.Contains(text, "✂ cut off") {
		t.Errorf("no wall round n1:\n%s", text)
	}
	w = healthy(5)
	w.cutLinks("n3", "n5")
	if text := plain(w.frame(120, 36)); strings.Contains(text, "▪") || strings.Count(text, "✂") != 3 {
		t.Errorf("not one mark on the ring and two in the table:\n%s", text)
	}
}

func TestAStaleValueSaysHowFarBehind(t *testing.T) {
	for _, size := range [][2]int{{60, 18}, {80, 24}, {120, 36}, {200, 60}} {
		if text := plain(deadLeader().frame(size[0], size[1])); !strings.Contains(text, "136 −1") && !strings.Contains(text, "n2 −1") {
			t.Errorf("%v:\n%s", size, text)
		}
	}
}

func TestEveryNodeAndHintCanBeHit(t *testing.T) {
	for _, size := range [][2]int{{80, 24}, {120, 36}, {200, 60}} {
		_, hits := healthy(5).frame(size[0], size[1]).render()
		found := map[string]bool{}
		for _, h := range hits {
			found["node "+h.node], found["key "+h.key] = true, true
		}
		for _, want := range []string{"node n1", "node n5", "key i", "key space"} {
			if !found[want] {
				t.Errorf("%v: no hit for %s", size, want)
			}
		}
	}
}

func TestTheCursorIsNeverOutOfSight(t *testing.T) {
	f := healthy(99).frame(80, 24)
	for _, cursor := range []string{"n1", "n42", "n99"} {
		f.cursor = cursor
		if text := plain(f); !strings.Contains(text, "▌ "+cursor) {
			t.Errorf("%s is not to be seen:\n%s", cursor, text)
		}
	}
}

func TestThemesAreFoundByName(t *testing.T) {
	for _, name := range []string{"dark", "light", "high-contrast", "colour-blind"} {
		if found := style.ThemeNamed(name); found == nil || found.Name != name {
			t.Errorf("no theme %s", name)
		}
	}
	if style.ThemeNamed("pink") != nil {
		t.Error("there is a theme pink")
	}
}

func TestColoursAreNamedInThePalettesOnly(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	literal := regexp.MustCompile(`"#[0-9a-fA-F]{3,8}"|\[[34]8;[25];`)
	for _, name := range files {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if found := literal.Find(text); found != nil && !strings.HasPrefix(name, "palettes") {
			t.Errorf("%s: %s", name, found)
		}
	}
}

func TestGlyphsAreOneCellWide(t *testing.T) {
	n := trace.Node{Process: trace.Up}
	for _, g := range []*style.Glyphs{style.Unicode, style.ASCII} {
		all := []string{
			g.More, g.Dot, g.Minus, g.Play, g.Cursor, g.Marked, g.Voted, g.Unvoted, g.Full, g.Empty, g.Prompt, g.Good, g.Bad, g.CutLink, g.SlowLink,
			g.LossyLink, g.RefuseLink, g.DoubleLink, g.MixedLink, g.JamLink, g.NarrowLink, g.Undecided, g.Loud, g.Told, g.Border, g.Snapshot, g.Forgotten, g.Led, g.Unled, g.Now, g.Heal, g.Start, g.Disk, g.Clock, g.Members, g.Words, g.Wall,
		}
		for _, life := range []trace.ProcessState{trace.Paused, trace.Killed, trace.Off, trace.Crashed, trace.Removed, trace.Wiped, ""} {
			n.Process = life
			all = append(all, styleOfNode(g, &n).glyph)
		}
		all = append(append(append(append(all, g.Spark...), g.Arrows[:]...), g.Frame[:]...), g.Leader, g.Follower, g.Candidate)
		for _, set := range []map[string]string{g.Packet, g.Reply} {
			for _, glyph := range set {
				all = append(all, glyph)
			}
		}
		for _, glyph := range all {
			if ansi.StringWidth(glyph) != 1 || canvas.Sanitize(glyph) != glyph {
				t.Errorf("%s: %q", g.Name, glyph)
			}
		}
	}
}

func BenchmarkFrame(b *testing.B) {
	for _, c := range []struct {
		name string
		w    *world
		x, y int
	}{
		{"5-120x36", busy(partitioned()), 120, 36}, {"25-200x60", busy(healthy(25)), 200, 60}, {"99-300x100", busy(healthy(99)), 300, 100},
	} {
		for v := range newViews(nil).all {
			b.Run(c.name+"-"+newViews(nil).all[v].name(), func(b *testing.B) {
				f := full(c.w.frame(c.x, c.y))
				f.view = f.views.all[v]
				b.ReportAllocs()
				for b.Loop() {
					f.render()
				}
			})
		}
	}
}
