package exact

import (
	"context"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/tetratelabs/wazero"

	"capsize/cluster/engine/exact/module"
)

// sealName is the file with the checksum of the machine code. wazero does not check all of what it
// reads, and damaged machine code would end the program.
const sealName = "crc32c"

// compileCached compiles the module, or takes the machine code from the cache in a directory. Damaged
// machine code is compiled anew.
func compileCached(ctx context.Context, m module.Module, dir string) (*Program, error) {
	sum, err := checksum(dir)
	if err != nil {
		return nil, err
	}
	seal, err := os.ReadFile(filepath.Join(dir, sealName))
	isSealed := err == nil && string(seal) == sum
	if !isSealed {
		if err := emptyDir(dir); err != nil {
			return nil, err
		}
	}
	cache, err := wazero.NewCompilationCacheWithDir(dir)
	if err != nil {
		return nil, err
	}
	p, err := compile(ctx, m, wazero.NewRuntimeConfig().WithMemoryLimitPages(memoryPages).WithCompilationCache(cache))
	if err == nil && !isSealed {
		if sum, err := checksum(dir); err == nil {
			_ = os.WriteFile(filepath.Join(dir, sealName), []byte(sum), 0o600) // without it, the next run compiles anew
		}
	}
	return p, err
}

// checksum returns the CRC32C of all files below a directory but the seal.
func checksum(dir string) (string, error) {
	sum := crc32.New(crc32.MakeTable(crc32.Castagnoli))
	err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == sealName {
			return err
		}
		file, err := os.Open(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(sum, file)
		return errors.Join(err, file.Close())
	})
	return fmt.Sprintf("%08x", sum.Sum32()), err
}

// emptyDir removes what is in a directory.
func emptyDir(dir string) error {
	entries, err := os.ReadDir(dir)
	for _, e := range entries {
		err = errors.Join(err, os.RemoveAll(filepath.Join(dir, e.Name())))
	}
	return err
}
