package machines

import "os"

// running is the file that this process runs, even after it has been deleted or replaced, which a
// build beside an open playground does. Only Linux has it.
const running = "/proc/self/exe"

// program is the file of this program.
type program struct {
	name string
	file os.FileInfo // as it was at the start
}

// thisProgram returns the program that runs.
func thisProgram() (program, error) {
	name, err := os.Executable()
	if err != nil {
		return program{}, err
	}
	file, err := os.Stat(running)
	if err != nil {
		file = nil // the name must do
	}
	return program{name, file}, nil
}

// path returns where to start the program from: by its name, which is what lists of processes show,
// unless another file has that name now.
func (p program) path() string {
	if p.file == nil {
		return p.name
	}
	if now, err := os.Stat(p.name); err == nil && os.SameFile(now, p.file) {
		return p.name
	}
	return running
}
