package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// preparedVariable is set in the environment of a hazard's programs: the
// directory that its Prepare has filled. If it is set for the demo itself, as
// in its container image, that directory was prepared before.
const preparedVariable = "ZMQ_EXIT_DEMO_PREPARED"

// prepare returns a hazard ready to run. If it must be prepared, it gets a
// directory in dir, or is marked as missing something.
func prepare(ctx context.Context, h hazard, dir string) (hazard, error) {
	h.prepared = os.Getenv(preparedVariable)
	if h.Prepare == nil || h.prepared != "" {
		return h, nil
	}
	h.prepared = filepath.Join(dir, h.ID)
	var skip skipError
	if err := h.Prepare(ctx, h.prepared); errors.As(err, &skip) {
		h.missing = skip.reason
	} else if err != nil {
		return h, fmt.Errorf("%s can't be prepared: %w", h.ID, err)
	}
	return h, nil
}

// prepareHere prepares a hazard that runs in this process, unless the process
// is a child of a measurement, which has done so. A debugger needs the files
// afterwards, so they stay in the user's cache directory.
func prepareHere(ctx context.Context, h hazard) error {
	if h.Prepare == nil || os.Getenv(preparedVariable) != "" {
		return nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return fmt.Errorf("%s can't be prepared: %w", h.ID, err)
	}
	dir := filepath.Join(cache, "zmq-exit-demo")
	if err := os.RemoveAll(filepath.Join(dir, h.ID)); err != nil {
		return err
	}
	if h, err = prepare(ctx, h, dir); err != nil {
		return err
	}
	if h.missing != "" {
		return skipError{h.missing}
	}
	return os.Setenv(preparedVariable, h.prepared)
}
