/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sixteen substructure observables of a jet. */

#include "nn-jets-shower.h"

#include <math.h>
#include <string.h>

/*
 * Energy correlation functions: A. Larkoski, G. Salam, J. Thaler, JHEP 06 (2013) 108 (C); A. Larkoski, I. Moult,
 * D. Neill, JHEP 12 (2014) 009 (D); I. Moult, L. Necib, J. Thaler, JHEP 12 (2016) 153 (M, N). Groomed mass: modified
 * mass drop, M. Dasgupta et al., JHEP 09 (2013) 029. Three-point sums take the hardest particles only: the soft ones
 * hardly count, and time grows with the cube.
 */
#define MAX_CORRELATED 36
#define MASS_DROP_Z 0.1

const char *const nn_jets_feature_names[NN_JETS_N_FEATURES + 1] = {
  "zlogz",  "c1_b0", "c1_b1", "c1_b2", "c2_b1", "c2_b2", "d2_b1",     "d2_b2",       "d2_a1_b1",
  "d2_a1_b2", "m2_b1", "m2_b2", "n2_b1", "n2_b2", "mass_mmdt", "multiplicity", NULL,
};

static int
by_pt (const void *a,
       const void *b)
{
  double x = ((const NnParticle *) a)->pt, y = ((const NnParticle *) b)->pt;

  return (x < y) - (x > y);
}

typedef struct {
  double e2[3];  /* two-point, exponent 0, 1, 2 */
  double e3[3];  /* three-point, all three angles */
  double m3[3];  /* smallest angle */
  double n3[3];  /* two smallest */
} Correlations;

static double
distance (const NnParticle *a,
          const NnParticle *b)
{
  return hypot (a->y - b->y, a->phi - b->phi);
}

static void
correlate (const NnParticle *p,
           guint             n,
           double            total,
           Correlations     *c)
{
  double angle[MAX_CORRELATED][MAX_CORRELATED], z[MAX_CORRELATED];

  memset (c, 0, sizeof *c);
  n = MIN (n, MAX_CORRELATED);
  for (guint i = 0; i < n; i++)
    {
      z[i] = p[i].pt / total;
      for (guint j = 0; j < i; j++)
        {
          double r = angle[i][j] = angle[j][i] = distance (&p[i], &p[j]), zz = z[i] * z[j];

          c->e2[0] += zz;
          c->e2[1] += zz * r;
          c->e2[2] += zz * r * r;
        }
    }
  for (guint i = 0; i < n; i++)
    for (guint j = 0; j < i; j++)
      for (guint k = 0; k < j; k++)
        {
          double a = angle[i][j], b = angle[i][k], d = angle[j][k], zzz = z[i] * z[j] * z[k];
          double all = a * b * d, smallest = MIN (a, MIN (b, d)), two = all / (MAX (a, MAX (b, d)) + 1e-12);

          c->e3[1] += zzz * all;
          c->e3[2] += zzz * all * all;
          c->m3[1] += zzz * smallest;
          c->m3[2] += zzz * smallest * smallest;
          c->n3[1] += zzz * two;
          c->n3[2] += zzz * two * two;
        }
}

/* Pseudojets of the Cambridge/Aachen tree: four-momentum in the small-angle frame and the two it came from. */
typedef struct {
  double e, px, py, pz;
  double y, phi, pt;
  gint   left, right;
} Node;

static void
set_angles (Node *node)
{
  node->pt = hypot (node->px, node->py);
  node->y = 0.5 * log ((node->e + node->pz + 1e-9) / (node->e - node->pz + 1e-9));
  node->phi = atan2 (node->py, node->px);
}

static double
mass_of (const Node *node)
{
  return sqrt (MAX (node->e * node->e - node->px * node->px - node->py * node->py - node->pz * node->pz, 0));
}

/* Clusters the nearest pair until one is left; returns the root. */
static gint
cluster (Node  *nodes,
         guint  n)
{
  gint alive[2 * MAX_CORRELATED];
  guint n_alive = n, next = n;

  for (guint i = 0; i < n; i++)
    alive[i] = i;
  while (n_alive > 1)
    {
      guint bi = 0, bj = 1;
      double best = G_MAXDOUBLE;
      Node *node = &nodes[next];

      for (guint i = 0; i < n_alive; i++)
        for (guint j = 0; j < i; j++)
          {
            const Node *a = &nodes[alive[i]], *b = &nodes[alive[j]];
            double dy = a->y - b->y, dphi = a->phi - b->phi, d = dy * dy + dphi * dphi;

            if (d < best)
              {
                best = d;
                bi = i;
                bj = j;
              }
          }
      node->left = alive[bi];
      node->right = alive[bj];
      node->e = nodes[node->left].e + nodes[node->right].e;
      node->px = nodes[node->left].px + nodes[node->right].px;
      node->py = nodes[node->left].py + nodes[node->right].py;
      node->pz = nodes[node->left].pz + nodes[node->right].pz;
      set_angles (node);
      alive[bj] = next++;
      alive[bi] = alive[--n_alive];
    }
  return alive[0];
}

static double
groomed_mass (const NnParticle *p,
              guint             n)
{
  Node nodes[2 * MAX_CORRELATED];
  gint root;

  n = MIN (n, MAX_CORRELATED);
  for (guint i = 0; i < n; i++)
    {
      nodes[i] = (Node){ .e = p[i].pt * cosh (p[i].y), .px = p[i].pt * cos (p[i].phi), .py = p[i].pt * sin (p[i].phi),
                         .pz = p[i].pt * sinh (p[i].y), .left = -1, .right = -1 };
      set_angles (&nodes[i]);
    }
  root = cluster (nodes, n);
  while (nodes[root].left >= 0)
    {
      const Node *a = &nodes[nodes[root].left], *b = &nodes[nodes[root].right];

      if (MIN (a->pt, b->pt) / (a->pt + b->pt) > MASS_DROP_Z)
        break;
      root = a->pt > b->pt ? nodes[root].left : nodes[root].right;
    }
  return mass_of (&nodes[root]);
}

static double
ratio (double a,
       double b)
{
  return b > 1e-30 ? a / b : 0;
}

/**
 * nn_jet_features:
 * @features: (array fixed-size=16) (out caller-allocates): in the order of nn_jets_feature_names; those that span
 *   decades as logarithms
 */
void
nn_jet_features (const NnJet *jet,
                 double      *features)
{
  NnJet sorted = *jet;
  Correlations c;
  double total = 0, zlogz = 0;

  qsort (sorted.particle, sorted.n, sizeof (NnParticle), by_pt);
  for (guint i = 0; i < sorted.n; i++)
    total += sorted.particle[i].pt;
  for (guint i = 0; i < sorted.n; i++)
    zlogz += sorted.particle[i].pt / total * log (sorted.particle[i].pt / total);
  correlate (sorted.particle, sorted.n, total, &c);
  features[0] = zlogz;
  features[1] = c.e2[0];
  features[2] = c.e2[1];
  features[3] = c.e2[2];
  features[4] = ratio (c.e3[1], c.e2[1] * c.e2[1]);
  features[5] = ratio (c.e3[2], c.e2[2] * c.e2[2]);
  features[6] = log1p (ratio (c.e3[1], pow (c.e2[1], 3)));
  features[7] = log1p (ratio (c.e3[2], pow (c.e2[2], 3)));
  features[8] = log1p (ratio (c.e3[1], pow (c.e2[2], 1.5)));
  features[9] = log1p (ratio (c.e3[2], pow (c.e2[1], 6)));
  features[10] = ratio (c.m3[1], c.e2[1]);
  features[11] = ratio (c.m3[2], c.e2[2]);
  features[12] = ratio (c.n3[1], c.e2[1] * c.e2[1]);
  features[13] = ratio (c.n3[2], c.e2[2] * c.e2[2]);
  features[14] = groomed_mass (sorted.particle, sorted.n);
  features[15] = sorted.n;
}
