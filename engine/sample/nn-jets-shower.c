/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From a parton to particles: decay of what is heavy, an angular-ordered shower, a detector. */

#include "nn-jets-shower.h"

#include <math.h>

/* Masses and colour factors: Particle Data Group, Review of Particle Physics (2022), rounded. */
#define MASS_W 80.4
#define MASS_Z 91.2
#define MASS_TOP 172.7
#define WIDTH_W 2.1
#define WIDTH_Z 2.5
#define WIDTH_TOP 1.4
#define COLOUR_QUARK (4.0 / 3.0)
#define COLOUR_GLUON 3.0

/* The toy's own: a fixed coupling, jets of about 1 TeV and radius 0.8, a shower down to a tenth of a GeV of relative momentum. */
#define COUPLING 0.145
#define JET_PT 1000.0
#define JET_PT_SPREAD 0.1
#define JET_RADIUS 0.8
#define CUTOFF_KT 0.1
#define MIN_Z 1e-4

/* A calorimeter-like detector: what makes the classes overlap as they do in the real data. */
#define RESOLUTION_STOCHASTIC 0.20 /* of sqrt (GeV) */
#define RESOLUTION_CONSTANT 0.012
#define RESOLUTION_ANGLE 0.003
#define MIN_PARTICLE_PT 0.2
#define PILE_UP_PARTICLES 2.0
#define PILE_UP_PT 2.0

typedef struct {
  double  pt, y, phi;
  double  colour;
  double  max_angle;
} Parton;

typedef struct {
  Parton stack[NN_JET_MAX_PARTICLES];
  guint  n;
} Stack;

static void
push (Stack  *stack,
      Parton  parton)
{
  if (stack->n < NN_JET_MAX_PARTICLES && parton.pt > MIN_PARTICLE_PT)
    stack->stack[stack->n++] = parton;
}

static double
breit_wigner (NnRng  *rng,
              double  mass,
              double  width)
{
  double m;

  do
    m = mass + 0.5 * width * tan (G_PI * (nn_rng_uniform (rng) - 0.5));
  while (fabs (m - mass) > 0.15 * mass);
  return m;
}

/* Two daughters of an object of mass @m and momentum @pt: sharing z, opening angle m / (pt sqrt (z (1 - z))). */
static void
decay (NnRng  *rng,
       double  pt,
       double  y,
       double  phi,
       double  m,
       Parton  daughter[2])
{
  /* isotropic in the rest frame; the small-angle limit of a fast object */
  double z = 0.5 * (1 + (2 * nn_rng_uniform (rng) - 1)), angle, turn;

  z = CLAMP (z, 0.02, 0.98);
  angle = m / (pt * sqrt (z * (1 - z)));
  turn = 2 * G_PI * nn_rng_uniform (rng);
  daughter[0] = (Parton){ z * pt, y + (1 - z) * angle * cos (turn), phi + (1 - z) * angle * sin (turn), COLOUR_QUARK, angle };
  daughter[1] = (Parton){ (1 - z) * pt, y - z * angle * cos (turn), phi - z * angle * sin (turn), COLOUR_QUARK, angle };
}

static void
hard_process (NnJetClass  jet_class,
              NnRng      *rng,
              Stack      *stack)
{
  double pt = JET_PT * (1 + JET_PT_SPREAD * nn_rng_normal (rng));
  Parton daughter[2], from_w[2];
  double m;

  switch (jet_class)
    {
    case NN_JET_GLUON:
      push (stack, (Parton){ pt, 0, 0, COLOUR_GLUON, JET_RADIUS });
      break;
    case NN_JET_QUARK:
      push (stack, (Parton){ pt, 0, 0, COLOUR_QUARK, JET_RADIUS });
      break;
    case NN_JET_W:
    case NN_JET_Z:
      m = jet_class == NN_JET_W ? breit_wigner (rng, MASS_W, WIDTH_W) : breit_wigner (rng, MASS_Z, WIDTH_Z);
      decay (rng, pt, 0, 0, m, daughter);
      push (stack, daughter[0]);
      push (stack, daughter[1]);
      break;
    case NN_JET_TOP:
    default:
      m = breit_wigner (rng, MASS_TOP, WIDTH_TOP);
      /* the W takes part of its mother's mass along: what is left is the angle's */
      decay (rng, pt, 0, 0, sqrt (m * m - MASS_W * MASS_W), daughter);
      daughter[0].max_angle = MAX (daughter[0].max_angle, 0.1);
      push (stack, daughter[0]);
      decay (rng, daughter[1].pt, daughter[1].y, daughter[1].phi, breit_wigner (rng, MASS_W, WIDTH_W), from_w);
      push (stack, from_w[0]);
      push (stack, from_w[1]);
      break;
    }
}

/*
 * Emissions are uniform in the Lund plane, (2 C alpha_s / pi) d ln (1/angle) d ln (1/z), from wide to narrow angles
 * (coherence), until the relative momentum z pt angle falls below the cut-off.
 */
static void
shower_one (NnRng  *rng,
            Parton  parton,
            Stack  *stack,
            NnJet  *jet)
{
  double rate = 2 * parton.colour * COUPLING / G_PI * log (1 / MIN_Z);
  double angle = parton.max_angle;

  for (;;)
    {
      double z, turn;

      angle *= exp (log (1 - nn_rng_uniform (rng)) / rate);
      if (parton.pt * angle * 0.5 < CUTOFF_KT)
        break;
      z = 0.5 * exp (nn_rng_uniform (rng) * log (2 * MIN_Z));
      if (z * parton.pt * angle < CUTOFF_KT)
        continue;
      turn = 2 * G_PI * nn_rng_uniform (rng);
      push (stack, (Parton){ z * parton.pt, parton.y + (1 - z) * angle * cos (turn), parton.phi + (1 - z) * angle * sin (turn),
                             COLOUR_GLUON, angle });
      parton.y -= z * angle * cos (turn);
      parton.phi -= z * angle * sin (turn);
      parton.pt *= 1 - z;
    }
  if (jet->n < NN_JET_MAX_PARTICLES)
    jet->particle[jet->n++] = (NnParticle){ parton.pt, parton.y, parton.phi };
}

static void
add_pile_up (NnRng *rng,
             NnJet *jet)
{
  double left = exp (-PILE_UP_PARTICLES);

  /* Poisson, by Knuth's product of uniforms */
  for (double product = nn_rng_uniform (rng); product > left && jet->n < NN_JET_MAX_PARTICLES; product *= nn_rng_uniform (rng))
    {
      double radius = JET_RADIUS * sqrt (nn_rng_uniform (rng)), turn = 2 * G_PI * nn_rng_uniform (rng);

      jet->particle[jet->n++] =
        (NnParticle){ -PILE_UP_PT * log (1 - nn_rng_uniform (rng)), radius * cos (turn), radius * sin (turn) };
    }
}

static void
detect (NnRng *rng,
        NnJet *jet)
{
  guint n = 0;

  for (guint i = 0; i < jet->n; i++)
    {
      NnParticle p = jet->particle[i];
      double resolution = hypot (RESOLUTION_STOCHASTIC / sqrt (p.pt), RESOLUTION_CONSTANT);

      p.pt *= 1 + resolution * nn_rng_normal (rng);
      p.y += RESOLUTION_ANGLE * nn_rng_normal (rng);
      p.phi += RESOLUTION_ANGLE * nn_rng_normal (rng);
      if (p.pt > MIN_PARTICLE_PT && hypot (p.y, p.phi) < JET_RADIUS)
        jet->particle[n++] = p;
    }
  jet->n = n;
}

void
nn_jet_shower (NnJetClass  jet_class,
               NnRng      *rng,
               NnJet      *jet)
{
  Stack stack = { .n = 0 };

  do
    {
      jet->n = 0;
      stack.n = 0;
      hard_process (jet_class, rng, &stack);
      while (stack.n > 0)
        {
          Parton next = stack.stack[--stack.n];

          shower_one (rng, next, &stack, jet);
        }
      add_pile_up (rng, jet);
      detect (rng, jet);
    }
  while (jet->n < 3);
}
