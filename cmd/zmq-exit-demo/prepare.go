package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// preparedVariable names the directory in the environment of a hazard's programs that its Prepare has filled. Who sets it
// for the demo itself, as the container image does, has had that directory made before.
const preparedVariable = "ZMQ_EXIT_DEMO_PREPARED"

// prepare returns the hazards ready to run. Those that have to be prepared get a directory in dir, or are marked as what
// this system can't show.
func prepare(ctx context.Context, hazards []hazard, dir string) ([]hazard, error) {
	prepared := os.Getenv(preparedVariable)
	ready := make([]hazard, len(hazards))
	for i, h := range hazards {
		if h.Prepare != nil && prepared != "" {
			h.prepared = prepared
		} else if h.Prepare != nil {
			h.prepared = filepath.Join(dir, h.ID)
			var skip skipError
			if err := h.Prepare(ctx, h.prepared); errors.As(err, &skip) {
				h.missing = skip.reason
			} else if err != nil {
				return nil, fmt.Errorf("%s can't be prepared: %w", h.ID, err)
			}
		}
		ready[i] = h
	}
	return ready, nil
}

// prepareHere prepares a hazard that runs in this process, unless that is a child of a measurement, for which it is done.
// A debugger wants to find the files afterwards, so they stay, in the user's cache directory.
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
	ready, err := prepare(ctx, []hazard{h}, dir)
	if err != nil {
		return err
	}
	if reason := ready[0].missing; reason != "" {
		return skipError{reason}
	}
	return os.Setenv(preparedVariable, ready[0].prepared)
}
