/* Owns the BlurHash algorithm: a discrete cosine transform in linear light with components in base 83. */
#include "services/media/blurhash.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { ACROSS = 4, DOWN = 3 };

struct light {
        double r, g, b;
};

static double to_linear(uint8_t value)
{
        double v = value / 255.0;
        return v <= 0.04045 ? v / 12.92 : pow((v + 0.055) / 1.055, 2.4);
}

static int to_srgb(double value)
{
        double v = fmax(0, fmin(1, value));
        return (int)((v <= 0.0031308 ? v * 12.92 : 1.055 * pow(v, 1 / 2.4) - 0.055) * 255 + 0.5);
}

static struct light component(const uint8_t *rgb, int width, int height, int i, int j)
{
        struct light sum = {0, 0, 0};
        double scale = (i == 0 && j == 0 ? 1 : 2) / (double)(width * height);

        for (int y = 0; y < height; y++) {
                for (int x = 0; x < width; x++) {
                        double basis = cos(M_PI * i * x / width) * cos(M_PI * j * y / height);
                        const uint8_t *p = rgb + (size_t)3 * (size_t)(y * width + x);

                        sum.r += basis * to_linear(p[0]);
                        sum.g += basis * to_linear(p[1]);
                        sum.b += basis * to_linear(p[2]);
                }
        }
        return (struct light){sum.r * scale, sum.g * scale, sum.b * scale};
}

static char *put83(char *out, int value, int digits)
{
        static const char letters[] =
            "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz#$%*+,-.:;=?@[]^_{|}~";

        for (int i = digits - 1; i >= 0; i--) {
                out[i] = letters[value % 83];
                value /= 83;
        }
        return out + digits;
}

static int quantise(double value, double most)
{
        double v = value / most;
        return (int)fmax(0, fmin(18, floor(copysign(sqrt(fabs(v)), v) * 9 + 9.5)));
}

static double largest(const struct light *c, int n)
{
        double most = 0;
        for (int i = 1; i < n; i++) {
                most = fmax(most, fmax(fabs(c[i].r), fmax(fabs(c[i].g), fabs(c[i].b))));
        }
        return most;
}

void blurhash_of(const uint8_t *rgb, int width, int height, char out[BLURHASH_SIZE])
{
        struct light c[ACROSS * DOWN];

        for (int n = 0; n < ACROSS * DOWN; n++) {
                c[n] = component(rgb, width, height, n % ACROSS, n / ACROSS);
        }
        int most = (int)fmax(0, fmin(82, floor(largest(c, ACROSS * DOWN) * 166 - 0.5)));
        double scale = (most + 1) / 166.0;
        char *at = put83(out, ACROSS - 1 + (DOWN - 1) * 9, 1);
        at = put83(at, most, 1);
        at = put83(at, (to_srgb(c[0].r) << 16) + (to_srgb(c[0].g) << 8) + to_srgb(c[0].b), 4);
        for (int n = 1; n < ACROSS * DOWN; n++) {
                at = put83(at, quantise(c[n].r, scale) * 361 + quantise(c[n].g, scale) * 19 + quantise(c[n].b, scale),
                           2);
        }
        *at = '\0';
}

/* Colours are similar if they share the two upper bits of each component. */
void dominant_color_of(const uint8_t *rgb, size_t pixels, char out[8])
{
        struct {
                uint64_t n, r, g, b;
        } bins[64];
        size_t best = 0;

        memset(bins, 0, sizeof(bins));
        for (size_t i = 0; i < pixels; i++) {
                const uint8_t *p = rgb + 3 * i;
                size_t bin = (size_t)(p[0] >> 6 << 4 | p[1] >> 6 << 2 | p[2] >> 6);

                bins[bin].n++;
                bins[bin].r += p[0];
                bins[bin].g += p[1];
                bins[bin].b += p[2];
                best = bins[bin].n > bins[best].n ? bin : best;
        }
        uint64_t n = bins[best].n > 0 ? bins[best].n : 1;
        (void)snprintf(out, 8, "#%02x%02x%02x", (unsigned)(bins[best].r / n) & 255, (unsigned)(bins[best].g / n) & 255,
                       (unsigned)(bins[best].b / n) & 255);
}
