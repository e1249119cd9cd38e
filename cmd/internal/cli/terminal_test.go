package cli

import (
	"bytes"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestWidth(t *testing.T) {
	for columns, want := range map[string]int{"": widthOfPipe, "133": 133, "0": widthOfPipe, "-5": widthOfPipe, "wide": widthOfPipe} {
		t.Setenv("COLUMNS", columns)
		assert.Equal(t, want, Width(new(bytes.Buffer)), columns)
		null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0) // a character device, but no terminal
		require.NoError(t, err)
		assert.Equal(t, want, Width(null), columns)
		require.NoError(t, null.Close())
	}
}

func TestWhatIsNoTerminal(t *testing.T) {
	null, err := os.Open(os.DevNull) // also a character device
	require.NoError(t, err)
	defer null.Close()
	assert.False(t, IsTerminal(null))
	assert.False(t, IsTerminal(new(bytes.Buffer)))
	assert.False(t, Colour(null))
}
