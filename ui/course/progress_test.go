package course

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

var someDay = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// opened opens a store that has no problem.
func opened(t *testing.T, dir string) *Store {
	t.Helper()
	s, problem := Open(dir)
	if problem != nil {
		t.Fatal(problem)
	}
	return s
}

func finish(r *Result) { *r = Result{Done: true, Right: 2, Asked: 3, Visited: someDay} }

func TestProgressIsKept(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state", "capsize")
	if problem := opened(t, dir).Update("lesson-1-term", finish); problem != nil {
		t.Fatal(problem)
	}
	if r := opened(t, dir).Result("lesson-1-term"); !r.Done || r.Right != 2 || r.Asked != 3 || !r.Visited.Equal(someDay) {
		t.Errorf("kept %+v", r)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("%v: the directory holds %v, want one file", err, entries)
	}
	if runtime.GOOS == "windows" {
		return // which has no such modes
	}
	for path, want := range map[string]os.FileMode{dir: 0o700, filepath.Join(dir, fileName): 0o600} {
		if info, err := os.Stat(path); err != nil || info.Mode().Perm() != want {
			t.Errorf("%s has mode %v, want %v", path, info.Mode(), want)
		}
	}
}

// Two courses may be open at once.
func TestProgressOfAnotherProgramIsKept(t *testing.T) {
	dir := t.TempDir()
	one, two := opened(t, dir), opened(t, dir)
	if err := errors.Join(one.Update("a", finish), two.Update("b", finish)); err != nil {
		t.Fatal(err)
	}
	if s := opened(t, dir); !s.Result("a").Done || !s.Result("b").Done {
		t.Errorf("kept %v", s.results)
	}
}

func TestDamagedFileIsSetAside(t *testing.T) {
	for name, text := range map[string]string{
		"torn": `{"capsize-course":1,"lessons":{"a":{"do`, "empty": "", "binary": "\x00\x01", "another format": `{"capsize":1}`,
		"wrong type":     `{"capsize-course":1,"lessons":[1]}`,
		"absurd numbers": `{"capsize-course":1,"lessons":{"a":{"done":true,"right":9,"asked":3}}}`,
		"negative":       `{"capsize-course":1,"lessons":{"a":{"right":-1,"asked":3}}}`,
		"huge":           `{"capsize-course":1,"x":"` + strings.Repeat("x", fileMax) + `"}`,
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for i := 1; i <= 2; i++ { // the second one does not replace the first
				if err := os.WriteFile(filepath.Join(dir, fileName), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
				s, problem := Open(dir)
				aside := fmt.Sprintf("%s.damaged-%d", fileName, i)
				if problem == nil || !strings.Contains(problem.Error(), aside) || strings.Contains(problem.Error(), "\n") {
					t.Errorf("the problem is %v, want one line that names %s", problem, aside)
				}
				if kept, err := os.ReadFile(filepath.Join(dir, aside)); err != nil || string(kept) != text {
					t.Errorf("set aside %q, %v", kept, err)
				}
				if err := s.Update("b", finish); err != nil || !opened(t, dir).Result("b").Done {
					t.Errorf("nothing is kept afterwards: %v", err)
				}
			}
		})
	}
}

func TestFileOfANewerVersionIsLeftAlone(t *testing.T) {
	dir := t.TempDir()
	const text = `{"capsize-course":2,"lessons":"in a new way"}`
	path := filepath.Join(dir, fileName)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s, problem := Open(dir)
	if problem == nil || !strings.Contains(problem.Error(), "newer capsize") {
		t.Errorf("the problem is %v", problem)
	}
	if err := s.Update("a", finish); err != nil || !s.Result("a").Done {
		t.Errorf("%+v, %v: want progress in memory, and the problem only once", s.Result("a"), err)
	}
	if kept, err := os.ReadFile(path); err != nil || string(kept) != text {
		t.Errorf("the file is now %q, %v", kept, err)
	}
}

func TestDirectoryThatCannotBeWrittenIsReportedOnce(t *testing.T) {
	parent := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(parent, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	s, problem := Open(filepath.Join(parent, "capsize"))
	for range 2 {
		if err := s.Update("a", finish); problem == nil {
			problem = err
		} else if err != nil {
			t.Errorf("reported again: %v", err)
		}
	}
	if problem == nil || !strings.Contains(problem.Error(), "progress is not saved: ") || !s.Result("a").Done {
		t.Errorf("%v, %+v", problem, s.Result("a"))
	}
}

func TestWithoutAStateDirectoryNothingIsSaved(t *testing.T) {
	s, problem := Open("")
	if problem == nil || !strings.Contains(problem.Error(), "XDG_STATE_HOME") {
		t.Errorf("the problem is %v", problem)
	}
	if err := s.Update("a", finish); err != nil || !s.Result("a").Done {
		t.Errorf("%+v, %v", s.Result("a"), err)
	}
}
