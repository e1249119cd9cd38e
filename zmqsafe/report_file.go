package zmqsafe

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"github.com/zmqsafe/zmq-exit/zmqsafe/internal/lockorder"
)

// reportPatience is how long a close waits until its report is written to what
// isn't a regular file, and twice what a Shutdown waits that has given up.
// Whoever reads it may be slow, or stuck.
var reportPatience = 100 * time.Millisecond // tests change it

// reportFile is where this process writes reports, see ReportVariable.
var reportFile struct {
	mu    lockorder.Mutex[lockorder.ReportFile] // held while a report is written
	begun map[string]bool                       // guarded by mu; names of the files that were truncated
}

// writeReport writes a report to the file that ReportVariable names, if any.
func (c *contextState) writeReport(r Report, patience time.Duration) {
	name := os.Getenv(ReportVariable)
	if name == "" {
		return
	}
	line, err := json.Marshal(r)
	if err == nil {
		written := make(chan error, 1)
		go func() { written <- c.appendReport(name, append(line, '\n'), r.Done) }() // it may block for good
		var late <-chan time.Time
		if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
			late = time.After(patience)
		}
		select {
		case err = <-written:
		case <-late:
			err = os.ErrDeadlineExceeded
		}
	}
	if err != nil && c.unwritten.CompareAndSwap(false, true) {
		c.logger.Warn("zmqsafe: the closing report can't be written", "made_at", c.made.String(), "file", name, "err", err)
	}
}

// appendReport appends a line, unless a final one of this context was written.
func (c *contextState) appendReport(name string, line []byte, final bool) error {
	reportFile.mu.Lock()
	defer reportFile.mu.Unlock()
	if c.reported {
		return nil
	}
	file, err := openReportFile(name)
	if err != nil {
		return err
	}
	c.reported = final
	_ = file.SetWriteDeadline(time.Now().Add(reportPatience)) // it fails for what isn't a pipe
	_, err = file.Write(line)
	return errors.Join(err, file.Close())
}

// openReportFile opens a file to append to, the first time truncated. The
// caller holds reportFile.mu.
func openReportFile(name string) (*os.File, error) {
	// Opened by name, these may be a log file to truncate, or a socket that
	// can't be opened. A duplicate, since Go ends the program if a write to one
	// of these finds no reader.
	for fd, standard := range map[int]string{1: "/dev/stdout", 2: "/dev/stderr"} {
		if name == standard {
			dup, err := duplicate(fd)
			if err != nil {
				return nil, err
			}
			return os.NewFile(uintptr(dup), name), nil
		}
	}
	name, err := filepath.Abs(name)
	if err != nil {
		return nil, err
	}
	// O_NONBLOCK is for pipes: opening one that nobody reads fails.
	flags := os.O_WRONLY | os.O_CREATE | os.O_APPEND | syscall.O_NONBLOCK
	if !reportFile.begun[name] {
		flags |= os.O_TRUNC
	}
	file, err := os.OpenFile(name, flags, 0o644)
	if err == nil {
		if reportFile.begun == nil {
			reportFile.begun = make(map[string]bool)
		}
		reportFile.begun[name] = true
	}
	return file, err
}

// duplicate returns a duplicate of fd that programs started later don't
// inherit.
func duplicate(fd int) (int, error) {
	dup, _, errno := syscall.Syscall(syscall.SYS_FCNTL, uintptr(fd), syscall.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1, os.NewSyscallError("fcntl", errno)
	}
	return int(dup), nil
}
