//go:build unix

package terminal

import (
	"os"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/charmbracelet/x/ansi"
)

// pipeWriter is a Writer to a pipe, which takes a chunk at a time until it runs.
type pipeWriter struct {
	*Writer
	t      *testing.T
	reader *os.File
}

// inPipe runs f with a writer in virtual time.
func inPipe(t *testing.T, f func(w *pipeWriter)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		reader, end, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		w := newWriter(end)
		defer func() {
			close(w.changed)
			_, _ = reader.Close(), end.Close()
		}()
		f(&pipeWriter{w, t, reader})
	})
}

func (w *pipeWriter) write(texts ...string) {
	w.t.Helper()
	for _, text := range texts {
		if n, err := w.WriteString(text); n != len(text) || err != nil {
			w.t.Errorf("wrote %d of %d bytes, %v", n, len(text), err)
		}
	}
}

// shows checks what the terminal has been sent since the last call.
func (w *pipeWriter) shows(want string) {
	w.t.Helper()
	synctest.Wait()
	const end = "the end"
	if _, err := w.File.WriteString(end); err != nil {
		w.t.Fatal(err)
	}
	var got string
	for buffer := make([]byte, 1<<16); !strings.HasSuffix(got, end); {
		n, err := w.reader.Read(buffer)
		if err != nil {
			w.t.Fatal(err)
		}
		got += string(buffer[:n])
	}
	if got = strings.TrimSuffix(got, end); got != want {
		w.t.Errorf("the terminal was sent %q, want %q", got, want)
	}
}

func TestLeavingDropsTheQueueAndRestoresWhatWasSent(t *testing.T) {
	inPipe(t, func(w *pipeWriter) {
		w.write(enter)
		w.writeNext()
		picture := strings.Repeat("a picture ", 300)
		w.write(picture, mouse)
		if w.writeNext(); !w.Behind() {
			t.Error("it is not behind, although most of the picture is queued")
		}
		time.AfterFunc(leaveTimeout/2, w.run)                   // not before the screen is left
		w.write("the rest" + ansi.ResetModeAltScreenSaveCursor) // as Bubble Tea leaves the screen
		restored := ansi.ResetModeAltScreenSaveCursor + ansi.SetModeTextCursorEnable + ansi.ResetModeBracketedPaste
		w.shows(enter + picture[:chunkMax] + restored)
		w.Leave()
		w.write("a late picture")
		w.shows("")
		w.write(enter, "a new screen")
		w.shows(enter + "a new screen")
		if w.Behind() {
			t.Error("it is behind, although all is written")
		}
	})
}

func TestDisabledWriterWritesNothing(t *testing.T) {
	inPipe(t, func(w *pipeWriter) {
		w.write("a picture")
		w.Disable()
		go w.run()
		w.write(enter)
		w.shows("")
	})
}

// elapsed returns how long f takes.
func elapsed(f func()) time.Duration {
	start := time.Now()
	f()
	return time.Since(start)
}

func TestLeavingWaitsOnceForAStoppedTerminal(t *testing.T) {
	inPipe(t, func(w *pipeWriter) {
		w.write(enter)
		w.writeNext()
		w.write("a picture")
		if took := elapsed(w.Leave); took != 2*leaveTimeout {
			t.Errorf("leaving takes %v, want %v before the loss and as long after it", took, leaveTimeout)
		}
		if took := elapsed(w.Leave); took != 0 {
			t.Errorf("leaving again takes %v", took)
		}
		want := w.modes.restoreAfterLoss()
		w.writeNext()
		w.shows(enter + want)
	})
}

// What is being written is neither queued nor written yet.
func TestLeavingWaitsForTheChunkThatIsBeingWritten(t *testing.T) {
	inPipe(t, func(w *pipeWriter) {
		w.writing = true
		const takes = leaveTimeout / 2
		time.AfterFunc(takes, func() {
			w.mu.Lock()
			defer w.mu.Unlock()
			w.writing = false
		})
		if took := elapsed(w.Leave); took < takes || took == leaveTimeout {
			t.Errorf("leaving takes %v, want %v", took, takes)
		}
	})
}

func TestWriterReportsThatItsTerminalIsGone(t *testing.T) {
	inPipe(t, func(w *pipeWriter) {
		_ = w.reader.Close()
		w.write(enter, strings.Repeat("a picture ", 300))
		w.writeNext()
		if _, err := w.Write([]byte("a picture")); err == nil || w.Behind() {
			t.Errorf("got %v, and behind is %t; want an error, and nothing queued", err, w.Behind())
		}
		if took := elapsed(w.Leave); took != 0 {
			t.Errorf("leaving waits %v for a terminal that is gone", took)
		}
	})
}

// Only a terminal that is reached over SSH has a limit: a local one tells by itself when it is slow.
func TestOnlyARemoteTerminalHasARate(t *testing.T) {
	for connection, want := range map[string]bool{"": false, "192.0.2.1 50022 192.0.2.2 22": true} {
		t.Setenv("SSH_CONNECTION", connection)
		inPipe(t, func(w *pipeWriter) {
			_, _ = w.WriteString(strings.Repeat("x", int(2*RemoteRate.Burst)))
			if w.RateExceeded() != want {
				t.Errorf("SSH_CONNECTION %q: the rate is exceeded: %t", connection, !want)
			}
		})
	}
}
