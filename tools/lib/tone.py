"""WAV files with a tone, and what tone or which speech a WAV file holds."""
import math
import pathlib
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
    """(samples, rate) of the first channel of a file of 16 bits; one that is still being written, or whose writer was cut off, counts by its size."""
    data = pathlib.Path(path).read_bytes()
    place, channels, rate = 12, 1, 8000
    while place + 8 <= len(data):
        kind, size = data[place:place + 4], struct.unpack_from("<I", data, place + 4)[0]
        if kind == b"fmt ":
            channels, rate = struct.unpack_from("<HI", data, place + 10)
        elif kind == b"data":
            body = data[place + 8:]
            if 0 < size < len(body):
                body = body[:size]
            return struct.unpack("<%dh" % (len(body) // 2), body[:len(body) // 2 * 2])[::channels], rate
        place += 8 + size + size % 2
    return (), rate


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
    """Seconds of the file in which `hertz`, or a pair of tones of equal strength, carries at least `threshold` of the energy."""
    samples, rate = read(path)
    tones = hertz if isinstance(hertz, tuple) else (hertz,)
    size = int(window * rate)
    hits = 0
    for start in range(0, len(samples) - size + 1, size):
        shares = [power(samples[start:start + size], rate, tone) for tone in tones]
        hits += sum(shares) >= threshold and min(shares) >= threshold / len(tones) / 2
    return round(hits * window, 3)


def loudness(samples, size):
    """Root mean square of each run of `size` samples."""
    return [math.sqrt(sum(s * s for s in samples[i:i + size]) / size) for i in range(0, len(samples) - size + 1, size)]


def speech(path):
    """Samples of a prompt: a WAV file of G.711 µ-law (ITU-T G.711), which Python's `wave` does not read."""
    data = path.read_bytes()
    place = 12
    while data[place:place + 4] != b"data":
        place += 8 + struct.unpack_from("<I", data, place + 4)[0]
    size, = struct.unpack_from("<I", data, place + 4)

    def linear(byte):
        bits = ~byte & 0xFF
        level = ((((bits & 0x0F) << 3) + 0x84) << (bits >> 4 & 7)) - 0x84
        return -level if bits & 0x80 else level
    return [linear(byte) for byte in data[place + 8:place + 8 + size]]


def says(path, prompt):
    """How well the loudness of some part of the file follows that of the prompt, -1 to 1, and when that part begins, in seconds."""
    samples, rate = read(path)
    step = rate // 50
    # Without the silence around it, of which the file has the other side's sound when its pieces begin elsewhere.
    heard, spoken = loudness(samples, step), loudness(speech(prompt), step)[5:-5]
    mean = sum(spoken) / len(spoken)
    wanted = [level - mean for level in spoken]
    best = (-1.0, 0.0)
    for start in range(len(heard) - len(spoken) + 1):
        part = heard[start:start + len(spoken)]
        mean = sum(part) / len(part)
        centred = [level - mean for level in part]
        norm = math.sqrt(sum(a * a for a in centred) * sum(b * b for b in wanted))
        if norm > 0:
            best = max(best, (sum(a * b for a, b in zip(centred, wanted)) / norm, start / 50))
    return round(best[0], 3), best[1]
