package course

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"capsize/cluster/scenario"
)

const (
	// Version is the version of the file format.
	Version = 1
	// fileName is the name of the file in the state directory.
	fileName = "course.json"
	// fileMax is how large the file may be, in bytes.
	fileMax = 1 << 20
	// answersMax is how many answers a lesson may claim.
	answersMax = 1000
)

// Result is what a learner has done of one lesson.
type Result struct {
	Done    bool      `json:"done"`  // played to the end at least once
	Right   int       `json:"right"` // answers, when it was last played to the end
	Asked   int       `json:"asked"` // questions answered then
	Visited time.Time `json:"visited"`
}

// file is the file format.
type file struct {
	Version int               `json:"capsize-course"`
	Lessons map[string]Result `json:"lessons"` // by the name of the lesson
}

// Store keeps results in a file. It is used by one goroutine.
type Store struct {
	dir     string // "" to keep nothing
	results map[string]Result
	// sealed says why the file must not be written, nil if it may.
	sealed error
}

// Open reads the results in a directory, "" for none. The problem is nil, or says in one line what is
// wrong with the file, why, and what follows: the store works in any case.
func Open(dir string) (s *Store, problem error) {
	s = &Store{dir: dir, results: map[string]Result{}}
	if dir == "" {
		s.sealed = errors.New("progress is not saved: this system names no state directory; set XDG_STATE_HOME")
		return s, s.sealed
	}
	return s, s.read()
}

// errNewer is the error of a file from a newer version.
var errNewer = errors.New("written by a newer capsize")

// path returns the name of the file.
func (s *Store) path() string { return filepath.Join(s.dir, fileName) }

// read reads the file. A damaged one is set aside.
func (s *Store) read() (problem error) {
	read, err := readFile(s.path())
	var damaged damagedError
	switch {
	case err == nil:
		s.results = read
	case errors.Is(err, fs.ErrNotExist):
	case errors.Is(err, errNewer):
		s.sealed = fmt.Errorf("%s: %w: progress is not saved; update capsize, or move the file away", s.path(), err)
		return s.sealed
	case errors.As(err, &damaged):
		aside, moveErr := setAside(s.path())
		if moveErr != nil {
			s.sealed = fmt.Errorf("%s: damaged (%w), and cannot be set aside (%w): progress is not saved; move the file away", s.path(), err, moveErr)
			return s.sealed
		}
		return fmt.Errorf("%s: damaged (%w): kept as %s; progress starts anew", s.path(), err, filepath.Base(aside))
	default:
		s.sealed = fmt.Errorf("progress is not saved: %w; check the permissions", scenario.FileError(s.path(), err))
		return s.sealed
	}
	return nil
}

// damagedError says why a file is not one that was written here.
type damagedError struct{ error }

func (e damagedError) Unwrap() error { return e.error }

// readFile reads the results in a file.
func readFile(path string) (map[string]Result, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	data, err := io.ReadAll(io.LimitReader(f, fileMax+1))
	if err != nil {
		return nil, err
	}
	if len(data) > fileMax {
		return nil, damagedError{fmt.Errorf("larger than %d kB", fileMax>>10)}
	}
	// A newer format may differ in everything but its version.
	var head struct {
		Version int `json:"capsize-course"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, damagedError{errors.New("not JSON")}
	}
	if head.Version > Version {
		return nil, errNewer
	}
	var all file
	if err := json.Unmarshal(data, &all); err != nil || all.Version != Version {
		return nil, damagedError{errors.New("not a record of progress")}
	}
	for name, r := range all.Lessons {
		if r.Asked < 0 || r.Asked > answersMax || r.Right < 0 || r.Right > r.Asked {
			return nil, damagedError{fmt.Errorf("%d of %d answers right in %q", r.Right, r.Asked, name)}
		}
	}
	if all.Lessons == nil {
		all.Lessons = map[string]Result{}
	}
	return all.Lessons, nil
}

// setAside renames a file to a name that is free, and returns that.
func setAside(path string) (aside string, err error) {
	for i := 1; ; i++ {
		aside = fmt.Sprintf("%s.damaged-%d", path, i)
		if _, err := os.Lstat(aside); errors.Is(err, fs.ErrNotExist) {
			return aside, os.Rename(path, aside)
		} else if err != nil {
			return "", err
		}
	}
}

// Result returns the result of a lesson.
func (s *Store) Result(name string) Result { return s.results[name] }

// Update changes the result of a lesson and writes the file, with what others have written meanwhile.
// The problem is nil, or says in one line why nothing was saved, and what to do; it is reported once.
func (s *Store) Update(name string, change func(*Result)) (problem error) {
	if s.sealed == nil {
		problem = s.read()
	}
	r := s.results[name]
	change(&r)
	s.results[name] = r
	if s.sealed != nil {
		return problem
	}
	if err := s.write(); err != nil {
		s.sealed = fmt.Errorf("progress is not saved: %w; check the permissions and the free space", scenario.FileError(s.path(), err))
		return s.sealed
	}
	return problem
}

// write replaces the file, in one step.
func (s *Store) write() error {
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	data, err := json.MarshalIndent(file{Version: Version, Lessons: s.results}, "", "  ")
	if err != nil {
		return err
	}
	temporary, err := os.CreateTemp(s.dir, fileName+".*") // mode 0600
	if err != nil {
		return err
	}
	_, err = temporary.Write(append(data, '\n'))
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), s.path())
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
	}
	return err
}
