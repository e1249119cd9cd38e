package zmqsafe_test

import (
	"testing"

	"github.com/zmqsafe/zmq-exit/zmqsafe"
)

// ownDefault gives the test a default context of its own. On raw there is a
// process for each test instead.
func ownDefault(t *testing.T) { zmqsafe.NewDefault(t) }
