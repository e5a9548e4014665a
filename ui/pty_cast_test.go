//go:build unix

package ui

import (
	"bytes"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"

	"capsize/ui/pane"
	"capsize/ui/record"
	"capsize/ui/uitest"
)

// The caption band has its own background, which blanks need too.
func TestCaptionBandFillsTheTerminal(t *testing.T) {
	x := start(t, 120, 36, "play", "leader-crash", "--theme", "dark")
	x.seeText("▶ n")
	x.press("n")
	x.seeText("The leader is killed")
	x.seeText("▶ n")
	x.mu.Lock()
	for y := 36 - pane.BandHeight; y < 36; y++ {
		for _, column := range []int{0, 60, 119} {
			if c := x.screen.CellAt(column, y); c == nil || c.Style.Bg == nil {
				t.Errorf("line %d has no ground at %d", y, column)
			}
		}
	}
	x.mu.Unlock()
	x.quits()
}

// A killed program cannot finish its file.
func TestCastIsCompleteAfterAKill(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.cast")
	x := start(t, 80, 24, "play", "first-steps", "--cast", name, "--cast-keys", "--keys")
	x.seeText("▶ n")
	x.press("n")
	x.seeText("ok 1")
	x.resize(100, 30)
	// The file is a frame behind the screen.
	x.until("the file has a frame of the new size", func() bool {
		_, after, found := bytes.Cut(readFile(t, name), []byte(`"100x30"`))
		return found && bytes.Count(after, []byte("\n")) > 1
	})
	if err := x.cmd.Process.Signal(syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	<-x.ended
	data := readFile(t, name)
	if !bytes.HasSuffix(data, []byte("]\n")) {
		t.Errorf("it ends with %q", data[max(len(data)-40, 0):])
	}
	header, events := uitest.ParseCast(t, data)
	if header.Term.Cols != 80 || header.Term.Rows != 24 || header.Title != "capsize: First steps" {
		t.Errorf("the header is %+v", header)
	}
	seen := map[string]string{}
	for _, e := range events {
		seen[e.Code] += e.Data
	}
	if seen[record.CastInput] != "n" || seen[record.CastResize] != "100x30" {
		t.Errorf("keys %q, sizes %q", seen[record.CastInput], seen[record.CastResize])
	}
	if text := uitest.AllowedSequences.ReplaceAllString(seen[record.CastOutput], ""); strings.ContainsAny(text, "\x1b\x07") {
		t.Error("there is more in it than pictures, such as questions to the terminal")
	}
	screens, _ := uitest.PlayCast(t, data)
	if last := screens[len(screens)-1]; !strings.Contains(last, "c{") || len(screens) < 3 {
		t.Errorf("there are %d pictures, the last is\n%s", len(screens), last)
	}
}

func TestCastEndsCleanlyOnQuit(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.cast")
	x := start(t, 80, 24, "--storage", "memory", "--cast", name)
	x.seeLeader()
	x.press("q")
	if status := x.end(); status != 0 {
		t.Errorf("exit status %d", status)
	}
	data := readFile(t, name)
	_, events := uitest.ParseCast(t, data)
	if last := events[len(events)-1]; last.Code != record.CastExit || last.Data != "0" {
		t.Errorf("it ends with %+v", last)
	}
}

// quitsWithin is how long a program may take to quit, whatever its terminal does.
const quitsWithin = 5 * time.Second

// quits presses q and checks that the program ends soon.
func (x *ptyTerminal) quits() {
	x.t.Helper()
	if _, err := x.master.WriteString("q"); err != nil {
		x.t.Fatal(err)
	}
	select {
	case <-x.ended:
	case <-time.After(quitsWithin):
		x.t.Errorf("it does not quit within %s", quitsWithin)
	}
}

func TestZeroSizeTerminalDoesNotCrash(t *testing.T) {
	name := filepath.Join(t.TempDir(), "a.cast")
	x := start(t, 80, 24, "--storage", "memory", "--cast", name)
	x.seeLeader()
	// The file shows that the program has drawn at each size. It takes 80x24 for a size that it
	// does not know.
	for _, size := range []struct {
		cols, rows uint16
		drawn      string
	}{
		{1, 1, "1x1"},
		{0, 0, "80x24"},
		{1, 500, "1x500"},
		{0, 24, "80x24"},
		{500, 1, "500x1"},
		{80, 0, "80x24"},
		{1, 1, "1x1"},
		{0, 0, "80x24"},
	} {
		if err := pty.Setsize(x.master, &pty.Winsize{Cols: size.cols, Rows: size.rows}); err != nil {
			t.Fatal(err)
		}
		x.until("it draws at "+size.drawn, func() bool {
			sizes := castSize.FindAllSubmatch(readFile(t, name), -1)
			return len(sizes) > 0 && string(sizes[len(sizes)-1][1]) == size.drawn
		})
	}
	x.resize(80, 24)
	x.seeLeader()
	x.quits()
	x.checkAsBefore()
}

func TestConstantResizingDoesNotCrash(t *testing.T) {
	x := start(t, 80, 24, "--storage", "memory", "--cast", filepath.Join(t.TempDir(), "a.cast"))
	x.seeLeader()
	for i := range 1000 {
		x.resize(1+(i*37)%200, 1+(i*17)%70)
	}
	x.resize(100, 30)
	x.seeLeader()
	x.quits()
	x.checkAsBefore()
}

func readFile(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// castSize matches a change of size in a cast.
var castSize = regexp.MustCompile(`"r", ?"(\d+x\d+)"`)

// until waits for something that no output announces.
func (x *ptyTerminal) until(what string, holds func() bool) {
	x.t.Helper()
	late, again := time.After(patience), time.NewTicker(pane.FrameEvery)
	defer again.Stop()
	for !holds() {
		select {
		case <-again.C:
		case <-late:
			x.t.Fatalf("never seen: %s; the screen shows:\n%s", what, x.text())
		}
	}
}

// checkNothingLeft checks that the program removed its temporary files.
func (x *ptyTerminal) checkNothingLeft() {
	x.t.Helper()
	left, err := os.ReadDir(x.temporary)
	if err != nil {
		x.t.Fatal(err)
	}
	for _, e := range left {
		x.t.Errorf("%s is left behind", e.Name())
	}
}
