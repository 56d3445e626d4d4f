"""WAV files with a tone, and what tone a WAV file holds."""
import math
import struct
import wave


def write(path, hertz, seconds, rate=8000, amplitude=12000):
    """A mono 16-bit file with a sine of `hertz`."""
    with wave.open(str(path), "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(rate)
        step = 2 * math.pi * hertz / rate
        out.writeframes(b"".join(struct.pack("<h", int(amplitude * math.sin(step * i))) for i in range(int(seconds * rate))))


def read(path):
    """(samples, rate) of the first channel; a file whose writer was cut off counts by its size."""
    with wave.open(str(path), "rb") as source:
        frames = source.readframes(source.getnframes())
        samples = struct.unpack("<%dh" % (len(frames) // 2), frames)
        return samples[:: source.getnchannels()], source.getframerate()


def power(samples, rate, hertz):
    """Share of the samples' energy at `hertz` (Goertzel), 0 to 1."""
    energy = sum(s * s for s in samples)
    if not samples or energy == 0:
        return 0.0
    k = 2 * math.cos(2 * math.pi * hertz / rate)
    s1 = s2 = 0.0
    for sample in samples:
        s1, s2 = sample + k * s1 - s2, s1
    return max(0.0, 2 * (s1 * s1 + s2 * s2 - k * s1 * s2) / (len(samples) * energy))


def heard(path, hertz, window=0.1, threshold=0.8):
    """Seconds of the file in which `hertz` carries at least `threshold` of the energy."""
    samples, rate = read(path)
    size = int(window * rate)
    hits = sum(power(samples[i:i + size], rate, hertz) >= threshold for i in range(0, len(samples) - size + 1, size))
    return round(hits * window, 3)
