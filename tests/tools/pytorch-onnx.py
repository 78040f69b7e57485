#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""usage: pytorch-onnx.py ESPALIER-CLI: small networks are made with PyTorch, exported to ONNX in several operator sets, with an
open and with a fixed batch, and the program's answers compared with PyTorch's. Each is then written as ONNX and read again, where its
answers must have the same bits, and tried in onnxruntime where node has that. Prints TAP; skips where PyTorch is missing.
ESPALIER_CASES is an expression that the names of the cases must match."""
import itertools
import os
import re
import shutil
import subprocess
import sys
import tempfile
import warnings

try:
    import numpy as np
    import torch
    import torch.nn as nn
    import torch.nn.functional as F
except ImportError:
    print('1..0 # SKIP PyTorch (python3-torch) is not here')
    sys.exit(0)

# Largest difference relative to the largest answer: PyTorch computes in single precision.
TOLERANCE = 1e-5
warnings.filterwarnings('ignore')
torch.manual_seed(0)
torch.set_num_threads(1)
cases = []
S = nn.Sequential


def case(name, net, *shapes, opsets=(13,), ints=None):
    """A network, the shapes of its inputs without the batch; @ints: they are whole numbers below it."""
    cases.append((name, net, shapes, opsets, ints))


class L(nn.Module):
    """A function of the module itself and its inputs."""

    def __init__(self, function, /, **modules):
        super().__init__()
        self.function_ = function
        for name, module in modules.items():
            setattr(self, name, module)

    def forward(self, *x):
        return self.function_(self, *x)


# Operator sets of what is simple enough for the oldest.
A=(7,9,11,13,14,16,17)
case('mlp',S(nn.Linear(6,8),nn.ReLU(),nn.Linear(8,3),nn.Softmax(-1)),(6,),opsets=A)
case('mlp_nobias',S(nn.Linear(6,8,bias=False),nn.Tanh(),nn.Linear(8,3,bias=False)),(6,),opsets=A)
case('lin3d',S(nn.Linear(6,8),nn.ReLU(),nn.Linear(8,3)),(5,6),opsets=A)
case('lin4d',S(nn.Linear(6,8),nn.Sigmoid(),nn.Linear(8,3)),(4,5,6),opsets=(11,13))
for k in ('ReLU','ReLU6','LeakyReLU','ELU','SELU','CELU','GELU','Sigmoid','Tanh','Softplus','Softsign','Hardsigmoid','Hardswish','Hardtanh','SiLU','Mish','LogSigmoid','Tanhshrink','Softshrink','Hardshrink','PReLU'):
    case('act_'+k,S(nn.Linear(6,8),getattr(nn,k)(),nn.Linear(8,3)),(6,),opsets=(9,13,17) if k not in('Hardswish','Mish') else (14,17))
case('act_LogSoftmax',S(nn.Linear(6,8),nn.LogSoftmax(-1)),(6,),opsets=(9,13))
case('act_softmin',S(nn.Linear(6,8),nn.Softmin(-1)),(6,))
case('act_glu',S(nn.Linear(6,8),nn.GLU()),(6,))
case('act_gelutanh',S(nn.Linear(6,8),nn.GELU(approximate='tanh')),(6,),opsets=(9,13,17))
case('act_threshold',S(nn.Linear(6,8),nn.Threshold(0.1,0.0),nn.Linear(8,2)),(6,))
case('act_threshold20',S(nn.Linear(6,8),nn.Threshold(0.1,20.0),nn.Linear(8,2)),(6,))
case('act_rrelu',S(nn.Linear(6,8),nn.RReLU()),(6,))
case('prelu_c',S(nn.Conv2d(3,4,3),nn.PReLU(4),nn.Conv2d(4,2,3)),(3,9,9),opsets=(9,13))
# conv
case('c1',S(nn.Conv1d(3,5,3,stride=2,padding=1),nn.ReLU(),nn.Conv1d(5,4,3,dilation=2),nn.Flatten(),nn.Linear(4*4,3)),(3,16),opsets=A)
case('c1g',S(nn.Conv1d(4,8,3,groups=2),nn.ReLU(),nn.Conv1d(8,8,3,groups=8),nn.ReLU(),nn.Conv1d(8,16,3,groups=8)),(4,16),opsets=(9,13))
case('c2',S(nn.Conv2d(3,6,3,stride=(2,1),padding=(1,2)),nn.BatchNorm2d(6),nn.ReLU(),nn.Conv2d(6,4,(3,2),dilation=(1,2)),nn.Flatten(),nn.LazyLinear(3)),(3,12,11),opsets=A)
case('c2g',S(nn.Conv2d(4,8,3,groups=4),nn.ReLU(),nn.Conv2d(8,6,3,groups=2,padding='same')),(4,9,9),opsets=(9,13))
case('c2asym',S(nn.ZeroPad2d((1,2,0,3)),nn.Conv2d(3,4,3),nn.ReLU()),(3,8,8),opsets=A)
case('c2const',S(nn.ConstantPad2d((1,2,0,3),0.7),nn.Conv2d(3,4,3)),(3,8,8),opsets=(9,11,13))
case('c2refl',S(nn.ReflectionPad2d(1),nn.Conv2d(3,4,3)),(3,8,8),opsets=(11,13))
case('c2repl',S(nn.ReplicationPad2d(1),nn.Conv2d(3,4,3)),(3,8,8),opsets=(11,13))
case('ct1',S(nn.ConvTranspose1d(3,4,3,stride=2,padding=1,output_padding=1)),(3,8),opsets=(9,13))
case('ct2',S(nn.ConvTranspose2d(3,4,3,stride=2,padding=1,output_padding=1),nn.ReLU()),(3,8,7),opsets=(9,13))
case('ct2g',S(nn.ConvTranspose2d(4,4,3,stride=2,groups=2)),(4,8,7))
case('ct2dil',S(nn.ConvTranspose2d(3,4,3,stride=1,dilation=2)),(3,8,7))
case('bn1',S(nn.Linear(6,8),nn.BatchNorm1d(8),nn.ReLU()),(6,),opsets=A)
case('bn1first',S(nn.BatchNorm1d(6),nn.Linear(6,3)),(6,),opsets=(9,13))
case('bn1c',S(nn.Conv1d(3,4,3),nn.ReLU(),nn.BatchNorm1d(4)),(3,10),opsets=(9,13))
case('bn_noaff',S(nn.Linear(6,8),nn.BatchNorm1d(8,affine=False)),(6,))
case('in2',S(nn.Conv2d(3,4,3),nn.InstanceNorm2d(4),nn.ReLU()),(3,8,8),opsets=(9,13))
case('in1',S(nn.Conv1d(3,4,3),nn.InstanceNorm1d(4,affine=True),nn.ReLU()),(3,8),opsets=(9,13))
case('gn',S(nn.Conv2d(3,4,3),nn.GroupNorm(2,4),nn.ReLU()),(3,8,8),opsets=(9,13))
case('ln',S(nn.Linear(6,8),nn.LayerNorm(8),nn.Linear(8,3)),(6,),opsets=(9,13,17))
case('ln3',S(nn.LayerNorm(6),nn.Linear(6,3)),(5,6),opsets=(9,13,17))
case('ln2ax',S(nn.LayerNorm((5,6)),nn.Linear(6,3)),(5,6),opsets=(13,17))
# pooling
for c in (False,True):
  case(f'mp_ceil{c}',S(nn.Conv2d(3,4,3),nn.MaxPool2d(3,stride=2,padding=1,ceil_mode=c)),(3,10,9),opsets=(7,9,11,13) if not c else (11,13))
  for i in (False,True):
    case(f'ap_ceil{c}_inc{i}',S(nn.Conv2d(3,4,3),nn.AvgPool2d(3,stride=2,padding=1,ceil_mode=c,count_include_pad=i)),(3,10,9),opsets=(7,9,11,13) if not c else (11,13))
    case(f'ap1_ceil{c}_inc{i}',S(nn.Conv1d(3,4,3),nn.AvgPool1d(3,stride=2,padding=1,ceil_mode=c,count_include_pad=i)),(3,10),opsets=(9,11,13) if not c else (11,13))
case('mp1',S(nn.Conv1d(3,4,3),nn.MaxPool1d(2)),(3,11),opsets=(9,13))
case('gap',S(nn.Conv2d(3,4,3),nn.AdaptiveAvgPool2d(1),nn.Flatten(),nn.Linear(4,2)),(3,8,8),opsets=A)
case('aap2',S(nn.Conv2d(3,4,3),nn.AdaptiveAvgPool2d(2),nn.Flatten(),nn.Linear(16,2)),(3,8,8),opsets=(9,13))
case('gmp',S(nn.Conv2d(3,4,3),nn.AdaptiveMaxPool2d(1),nn.Flatten(),nn.Linear(4,2)),(3,8,8),opsets=(9,13))
case('gap1',S(nn.Conv1d(3,4,3),nn.AdaptiveAvgPool1d(1),nn.Flatten(),nn.Linear(4,2)),(3,8),opsets=(9,13))
case('lppool',S(nn.LPPool2d(2,2)),(3,8,8))
case('meanhw',L(lambda s,x:s.l(s.c(x).mean((2,3))),c=nn.Conv2d(3,4,3),l=nn.Linear(4,2)),(3,8,8),opsets=A)
case('meankeep',L(lambda s,x:s.c(x).mean((2,3),keepdim=True),c=nn.Conv2d(3,4,3)),(3,8,8),opsets=(9,13))
case('meanc',L(lambda s,x:s.c(x).mean(1),c=nn.Conv2d(3,4,3)),(3,8,8),opsets=(9,13))
for r in ('sum','amax','amin','norm','logsumexp','std','var'):
  case('red_'+r,L(lambda s,x,r=r:s.l(getattr(torch,r)(s.c(x),dim=-1)),c=nn.Conv1d(3,4,3),l=nn.Linear(4,2)),(3,8),opsets=(9,13))
case('maxdim',L(lambda s,x:s.l(torch.max(s.c(x),dim=2)[0]),c=nn.Conv1d(3,4,3),l=nn.Linear(4,2)),(3,8),opsets=(9,13))
# rnn
for bf in (True,False):
  for bi in (False,True):
    for k in ('LSTM','GRU','RNN'):
      for nl in (1,2):
        r=getattr(nn,k)(5,7,num_layers=nl,bidirectional=bi,batch_first=bf)
        if bf: f=lambda s,x:s.l(s.r(x)[0])
        else: f=lambda s,x:s.l(s.r(x.transpose(0,1))[0]).transpose(0,1)
        case(f'{k}_bf{bf}_bi{bi}_{nl}',L(f,r=r,l=nn.Linear(14 if bi else 7,3)),(6,5),opsets=(9,11,13,14) if nl==1 else (13,))
case('lstm_last',L(lambda s,x:s.l(s.r(x)[0][:,-1]),r=nn.LSTM(5,7,batch_first=True),l=nn.Linear(7,3)),(6,5),opsets=(9,11,13,17))
case('lstm_h',L(lambda s,x:s.l(s.r(x)[1][0][-1]),r=nn.LSTM(5,7,batch_first=True),l=nn.Linear(7,3)),(6,5),opsets=(9,11,13))
case('gru_h',L(lambda s,x:s.l(s.r(x)[1][-1]),r=nn.GRU(5,7,batch_first=True),l=nn.Linear(7,3)),(6,5),opsets=(9,11,13))
case('gru_h0',L(lambda s,x:s.l(s.r(x)[1][0]),r=nn.GRU(5,7,batch_first=True),l=nn.Linear(7,3)),(6,5),opsets=(9,11,13))
case('gru_nobias',L(lambda s,x:s.l(s.r(x)[1][0]),r=nn.GRU(5,7,batch_first=True,bias=False),l=nn.Linear(7,3)),(6,5))
case('lstm_proj',L(lambda s,x:s.r(x)[0],r=nn.LSTM(5,7,batch_first=True,proj_size=3)),(6,5))
case('rnn_relu',L(lambda s,x:s.r(x)[0],r=nn.RNN(5,7,nonlinearity='relu',batch_first=True)),(6,5))
case('bilstm_hcat',L(lambda s,x:s.l(torch.cat([s.r(x)[1][0][0],s.r(x)[1][0][1]],1)),r=nn.LSTM(5,7,batch_first=True,bidirectional=True),l=nn.Linear(14,3)),(6,5))
case('grucell',L(lambda s,x:s.l(s.r(x)),r=nn.GRUCell(5,7),l=nn.Linear(7,3)),(5,))
case('lstm_seqfirst_perm',L(lambda s,x:s.l(s.r(x.permute(2,0,1))[0][-1]),r=nn.LSTM(5,7),l=nn.Linear(7,3)),(5,6),opsets=(9,13))
case('conv_gru',L(lambda s,x:s.l(s.r(s.c(x).transpose(1,2))[0][:,-1]),c=nn.Conv1d(3,5,3),r=nn.GRU(5,7,batch_first=True),l=nn.Linear(7,3)),(3,12),opsets=(9,13))
# shape
case('slice',L(lambda s,x:s.l(x[:,1:5]),l=nn.Linear(4,3)),(6,),opsets=A)
case('slice_step',L(lambda s,x:s.l(x[:,::2]),l=nn.Linear(3,3)),(6,),opsets=(9,11,13))
case('slice_neg',L(lambda s,x:s.l(x[:,:,-2:]),l=nn.Linear(2,3)),(4,6),opsets=(9,11,13))
case('flip',L(lambda s,x:s.l(torch.flip(x,[1])),l=nn.Linear(6,3)),(6,),opsets=(11,13))
case('slice_c',L(lambda s,x:s.c(x[:,:2,1:]),c=nn.Conv2d(2,3,3)),(4,6,6),opsets=(9,13))
case('idx',L(lambda s,x:s.l(x[:,2]),l=nn.Linear(5,3)),(4,5),opsets=A)
case('gather',L(lambda s,x:s.l(torch.index_select(x,1,torch.tensor([3,0,2]))),l=nn.Linear(5,3)),(4,5),opsets=(9,13))
case('gather_f',L(lambda s,x:s.l(x[:,[3,0,2,2]]),l=nn.Linear(4,3)),(6,),opsets=(9,11,13))
case('split',L(lambda s,x:sum(l*1.0 for l in torch.split(s.l(x),[2,2,2],1)),l=nn.Linear(4,6)),(4,),opsets=A)
case('chunk_c',L(lambda s,x:torch.sigmoid(torch.chunk(s.c(x),2,1)[0])*torch.chunk(s.c(x),2,1)[1],c=nn.Conv2d(3,6,3)),(3,6,6),opsets=(9,13))
case('unbind',L(lambda s,x:s.l(torch.unbind(x,1)[1]+torch.unbind(x,1)[0]),l=nn.Linear(5,3)),(4,5),opsets=(9,13))
case('cat',L(lambda s,x,y:s.l(torch.cat([x,y,x],1)),l=nn.Linear(14,3)),(4,),(6,),opsets=A)
case('cat_c',L(lambda s,x:torch.cat([s.a(x),s.b(x)],1),a=nn.Conv2d(3,4,3,padding=1),b=nn.Conv2d(3,2,1)),(3,6,6),opsets=(9,13))
case('cat_h',L(lambda s,x:torch.cat([s.a(x),s.b(x)],2),a=nn.Conv2d(3,4,3,padding=1),b=nn.Conv2d(3,4,1)),(3,6,6),opsets=(9,13))
case('stack',L(lambda s,x:s.l(torch.stack([x,x*2],2)),l=nn.Linear(2,3)),(4,),opsets=(9,13))
case('view',L(lambda s,x:s.l(s.c(x).view(x.size(0),-1)),c=nn.Conv2d(3,4,3),l=nn.Linear(64,3)),(3,6,6),opsets=A)
case('view2',L(lambda s,x:s.c2(s.c(x).view(x.shape[0],8,2,16)),c=nn.Conv2d(3,16,3),c2=nn.Conv2d(8,3,2)),(3,6,6),opsets=(9,13))
case('reshape0',L(lambda s,x:s.l(x.reshape(-1,5,4)),l=nn.Linear(4,3)),(20,),opsets=(9,13))
case('flatten12',L(lambda s,x:s.l(torch.flatten(x,1,2)),l=nn.Linear(4,3)),(2,3,4),opsets=(9,13))
case('unflatten',L(lambda s,x:s.l(s.u(x)),u=nn.Unflatten(1,(2,3)),l=nn.Linear(3,3)),(6,),opsets=(9,13))
case('squeeze',L(lambda s,x:s.l(s.c(x).squeeze(-1)),c=nn.Conv1d(3,4,8),l=nn.Linear(4,3)),(3,8),opsets=(9,11,13))
case('unsq',L(lambda s,x:s.c(x.unsqueeze(1)),c=nn.Conv1d(1,4,3)),(8,),opsets=(9,11,13))
case('transpose',L(lambda s,x:s.l(x.transpose(1,2)),l=nn.Linear(4,3)),(4,5),opsets=(9,13))
case('permute_conv',L(lambda s,x:s.c(x.permute(0,3,1,2)).permute(0,2,3,1),c=nn.Conv2d(3,4,3)),(6,6,3),opsets=A)
case('pixshuf',S(nn.Conv2d(3,8,3),nn.PixelShuffle(2)),(3,6,6),opsets=(9,13))
case('pixunshuf',S(nn.PixelUnshuffle(2),nn.Conv2d(12,2,1)),(3,6,6),opsets=(13,))
case('chshuf',S(nn.Conv2d(3,8,3),nn.ChannelShuffle(2),nn.Conv2d(8,2,1)),(3,6,6),opsets=(9,13))
case('repeat',L(lambda s,x:s.l(x.unsqueeze(1).repeat(1,3,1)),l=nn.Linear(6,3)),(6,),opsets=(9,13))
case('expand',L(lambda s,x:s.l(x.unsqueeze(1).expand(-1,3,-1)),l=nn.Linear(6,3)),(6,),opsets=(9,13))
case('expandas',L(lambda s,x:x*s.l(x).expand_as(x),l=nn.Linear(6,1)),(6,),opsets=(9,13))
case('roll',L(lambda s,x:s.l(torch.roll(x,2,1)),l=nn.Linear(6,3)),(6,),opsets=(13,))
for md in ('nearest','bilinear','bicubic'):
  for ac in ((None,) if md=='nearest' else (True,False)):
    case(f'up_{md}_{ac}',S(nn.Conv2d(3,4,3),nn.Upsample(scale_factor=2,mode=md,align_corners=ac)),(3,6,5),opsets=(9,11,13) if md=='nearest' or(md=='bilinear' and ac is None) else (11,13))
case('up_size',S(nn.Conv2d(3,4,3),nn.Upsample(size=(9,7),mode='nearest')),(3,6,5),opsets=(11,13))
case('up_1d',S(nn.Conv1d(3,4,3),nn.Upsample(scale_factor=3,mode='nearest')),(3,6),opsets=(9,11,13))
case('up_lin1d',S(nn.Conv1d(3,4,3),nn.Upsample(scale_factor=3,mode='linear')),(3,6),opsets=(11,13))
case('up_down',L(lambda s,x:F.interpolate(s.c(x),scale_factor=0.5,mode='bilinear'),c=nn.Conv2d(3,4,3)),(3,10,10),opsets=(11,13))
# merges / arithmetic
case('se',L(lambda s,x:(lambda y:y*torch.sigmoid(s.f(y.mean((2,3)))).view(-1,4,1,1))(s.c(x)),c=nn.Conv2d(3,4,3),f=nn.Linear(4,4)),(3,6,6),opsets=(9,13))
case('se2',L(lambda s,x:(lambda y:y*torch.sigmoid(s.f(s.p(y))))(s.c(x)),c=nn.Conv2d(3,4,3),f=nn.Conv2d(4,4,1),p=nn.AdaptiveAvgPool2d(1)),(3,6,6),opsets=(9,13))
case('res',L(lambda s,x:F.relu(s.b(F.relu(s.a(x)))+x),a=nn.Conv2d(3,3,3,padding=1),b=nn.Conv2d(3,3,3,padding=1)),(3,6,6),opsets=A)
case('bcast',L(lambda s,x,y:s.l(x)+y.unsqueeze(1),l=nn.Linear(4,5)),(3,4),(5,),opsets=(9,13))
case('bcast_c',L(lambda s,x:s.c(x)*torch.linspace(1,2,4).view(1,4,1,1)+torch.linspace(0,1,6).view(1,1,1,6),c=nn.Conv2d(3,4,1)),(3,6,6),opsets=(9,13))
case('consts',L(lambda s,x:(1-s.l(x))/2.5**2-3+4*s.l(x)**3,l=nn.Linear(4,5)),(4,),opsets=(9,13))
case('div',L(lambda s,x:s.l(x)/(1+torch.exp(-x)),l=nn.Linear(4,4)),(4,),opsets=(9,13))
# The angle of tan stays below 1.4, short of its pole: there an error of the angle grows 8 times at most, in single precision beyond any bound nearer.
for f in ('exp','log','sqrt','abs','sin','cos','neg','reciprocal','square','sign','floor','ceil','round','erf','rsqrt','tan','atan','sinh','cosh','log1p','expm1'):
  case('f_'+f,L(lambda s,x,f=f:s.m(getattr(torch,f)(torch.sigmoid(s.l(x))*(1.2 if f == 'tan' else 2)-(1 if f in('abs','neg','sin','sign','floor','ceil','round','square','erf') else -0.2))),l=nn.Linear(4,5),m=nn.Linear(5,2)),(4,),opsets=(9,13))
case('minmax',L(lambda s,x,y:torch.maximum(s.l(x),y)-torch.minimum(s.l(x),y),l=nn.Linear(4,4)),(4,),(4,),opsets=(13,))
case('clamp',L(lambda s,x:torch.clamp(s.l(x),-0.2,0.3),l=nn.Linear(4,4)),(4,),opsets=A)
case('clampmin',L(lambda s,x:torch.clamp(s.l(x),min=-0.2),l=nn.Linear(4,4)),(4,),opsets=(9,11,13))
case('where',L(lambda s,x:torch.where(s.l(x)>0,s.l(x),x*0.1),l=nn.Linear(4,4)),(4,),opsets=(9,13))
case('gt',L(lambda s,x:(s.l(x)>0).float(),l=nn.Linear(4,4)),(4,),opsets=(9,13))
case('pow',L(lambda s,x:torch.pow(torch.sigmoid(s.l(x)),1.7),l=nn.Linear(4,4)),(4,),opsets=(9,13))
case('cumsum',L(lambda s,x:torch.cumsum(s.l(x),1),l=nn.Linear(4,4)),(4,),opsets=(11,13))
# matmul / attention
case('bmm',L(lambda s,x,y:torch.bmm(s.l(x),y.transpose(1,2)),l=nn.Linear(4,4)),(3,4),(5,4),opsets=(9,13))
case('matmul_c',L(lambda s,x:torch.matmul(s.w,x),w=nn.Parameter(torch.randn(5,3))),(3,4),opsets=(9,13))
case('einsum',L(lambda s,x,y:torch.einsum('bij,bkj->bik',s.l(x),y),l=nn.Linear(4,4)),(3,4),(5,4),opsets=(12,13))
case('einsum_w',L(lambda s,x:torch.einsum('bij,jk->bik',x,s.w),w=nn.Parameter(torch.randn(4,5))),(3,4),opsets=(12,13))
case('einsum_w2',L(lambda s,x:torch.einsum('bij,ijk->bk',x,s.w),w=nn.Parameter(torch.randn(3,4,5))),(3,4),opsets=(12,13))
case('bilinear',L(lambda s,x,y:s.b(x,y),b=nn.Bilinear(4,5,3)),(4,),(5,),opsets=(12,13))
case('mha',L(lambda s,x:s.m(x,x,x)[0],m=nn.MultiheadAttention(8,2,batch_first=True)),(5,8),opsets=(11,13,17))
case('mha_w',L(lambda s,x:s.m(x,x,x),m=nn.MultiheadAttention(8,2,batch_first=True)),(5,8),opsets=(13,))
case('mha_cross',L(lambda s,x,y:s.m(x,y,y)[0],m=nn.MultiheadAttention(8,4,batch_first=True)),(5,8),(3,8),opsets=(13,))
case('mha_sf',L(lambda s,x:s.m(x.transpose(0,1),x.transpose(0,1),x.transpose(0,1))[0].transpose(0,1),m=nn.MultiheadAttention(8,2)),(5,8),opsets=(13,))
case('mha_kv',L(lambda s,x,y:s.m(x,y,y)[0],m=nn.MultiheadAttention(8,2,batch_first=True,kdim=6,vdim=6)),(5,8),(3,6),opsets=(13,))
class Attn(nn.Module):
    def __init__(s): super().__init__(); s.q=nn.Linear(8,8); s.k=nn.Linear(8,8); s.v=nn.Linear(8,8); s.o=nn.Linear(8,8)
    def forward(s,x):
        b,t,c=x.shape
        q=s.q(x).view(b,t,2,4).transpose(1,2); k=s.k(x).view(b,t,2,4).transpose(1,2); v=s.v(x).view(b,t,2,4).transpose(1,2)
        a=torch.softmax(q@k.transpose(-2,-1)/2.0,-1)
        return s.o((a@v).transpose(1,2).reshape(b,t,8))
case('attn_manual',Attn(),(5,8),opsets=(9,11,13,17))
class AttnQKV(nn.Module):
    def __init__(s): super().__init__(); s.qkv=nn.Linear(8,24); s.o=nn.Linear(8,8)
    def forward(s,x):
        B,N,C=x.shape
        qkv=s.qkv(x).reshape(B,N,3,2,4).permute(2,0,3,1,4); q,k,v=qkv[0],qkv[1],qkv[2]
        a=(q@k.transpose(-2,-1)*0.5).softmax(-1)
        return s.o((a@v).transpose(1,2).reshape(B,N,C))
case('attn_timm',AttnQKV(),(5,8),opsets=(9,13,17))
case('tel',nn.TransformerEncoderLayer(8,2,16,batch_first=True,dropout=0.0),(5,8),opsets=(13,17))
case('tel_gelu',nn.TransformerEncoderLayer(8,2,16,batch_first=True,activation='gelu',norm_first=True),(5,8),opsets=(13,17))
case('emb',L(lambda s,x:s.l(s.e(x).mean(1)),e=nn.Embedding(11,4),l=nn.Linear(4,2)),(6,),opsets=(9,13),ints=11)
case('emb_lstm',L(lambda s,x:s.l(s.r(s.e(x))[0][:,-1]),e=nn.Embedding(11,4),r=nn.LSTM(4,5,batch_first=True),l=nn.Linear(5,2)),(6,),opsets=(9,13),ints=11)
case('two_out',L(lambda s,x:(s.a(x),torch.sigmoid(s.b(x))),a=nn.Linear(4,3),b=nn.Linear(4,2)),(4,),opsets=(9,13))
case('shared',L(lambda s,x,y:torch.abs(s.a(x)-s.a(y)),a=nn.Linear(4,3)),(4,),(4,),opsets=(9,13))
case('mixnorm',L(lambda s,x:F.normalize(s.l(x),dim=1),l=nn.Linear(4,3)),(4,),opsets=(9,13))
case('cos',L(lambda s,x,y:F.cosine_similarity(s.l(x),y),l=nn.Linear(4,3)),(4,),(3,),opsets=(9,13))
case('deepsets',L(lambda s,x:s.r(s.p(x).sum(1)),p=S(nn.Linear(3,8),nn.ReLU(),nn.Linear(8,8)),r=S(nn.Linear(8,4),nn.ReLU(),nn.Linear(4,2))),(7,3),opsets=(9,13))
case('mixer',L(lambda s,x:s.b((s.a(x.transpose(1,2)).transpose(1,2)+x)),a=nn.Linear(7,7),b=nn.Linear(3,4)),(7,3),opsets=(9,13))
case('bn_3d',L(lambda s,x:s.b(s.l(x).transpose(1,2)).transpose(1,2),l=nn.Linear(3,4),b=nn.BatchNorm1d(4)),(7,3),opsets=(9,13))
case('vit',L(lambda s,x:s.h((s.n(s.t(torch.cat([s.cls.expand(x.shape[0],-1,-1),s.c(x).flatten(2).transpose(1,2)],1)+s.pos)))[:,0]),c=nn.Conv2d(3,8,4,4),cls=nn.Parameter(torch.randn(1,1,8)),pos=nn.Parameter(torch.randn(1,5,8)),t=nn.TransformerEncoderLayer(8,2,16,batch_first=True),n=nn.LayerNorm(8),h=nn.Linear(8,3)),(3,8,8),opsets=(13,17))
case('unet',L(lambda s,x:(lambda a:s.o(torch.cat([s.u(F.relu(s.b(s.p(a)))),a],1)))(F.relu(s.a(x))),a=nn.Conv2d(3,4,3,padding=1),p=nn.MaxPool2d(2),b=nn.Conv2d(4,6,3,padding=1),u=nn.ConvTranspose2d(6,4,2,2),o=nn.Conv2d(8,1,1)),(3,8,8),opsets=(9,13))
case('dwsep',S(nn.Conv2d(3,3,3,groups=3,padding=1,bias=False),nn.BatchNorm2d(3),nn.ReLU6(),nn.Conv2d(3,8,1,bias=False),nn.BatchNorm2d(8),nn.Hardswish()),(3,8,8),opsets=(9,13,14))
case('sq_out',L(lambda s,x:s.l(x).squeeze(-1),l=nn.Linear(6,1)),(6,),opsets=A)
case('sq_out2',L(lambda s,x:torch.sigmoid(s.l(x)).squeeze(),l=nn.Linear(6,1)),(6,),opsets=(9,13))
case('flat_out',L(lambda s,x:s.l(x).view(-1),l=nn.Linear(6,1)),(6,),opsets=(9,13))
case('quad',L(lambda s,x:(s.l(x)*x).sum(-1),l=nn.Linear(6,6)),(6,),opsets=(9,13))
case('fm',L(lambda s,x:s.l(x)[:,0]+0.5*((s.e(x).pow(2)-s.e(x*x)).sum(1)),l=nn.Linear(6,1),e=nn.Linear(6,4)),(6,),opsets=(9,13))
case('attnpool',L(lambda s,x:(torch.softmax(s.w(x),1)*x).sum(1),w=nn.Linear(3,1)),(7,3),opsets=(9,11,13))
case('attnpool2',L(lambda s,x:torch.bmm(torch.softmax(s.w(x),1).transpose(1,2),x).squeeze(1),w=nn.Linear(3,1)),(7,3),opsets=(9,13))
case('maxpts',L(lambda s,x:s.l(torch.max(F.relu(s.c(x)),2)[0]),c=nn.Conv1d(3,6,1),l=nn.Linear(6,2)),(3,9),opsets=(9,13))
case('pointnet',L(lambda s,x:s.l(F.relu(s.b(s.c(x))).max(dim=-1)[0]),c=nn.Conv1d(3,6,1),b=nn.BatchNorm1d(6),l=nn.Linear(6,2)),(3,9),opsets=(9,13))
case('tcn',L(lambda s,x:F.relu(s.c(F.pad(x,(4,0))))+x,c=nn.Conv1d(3,3,3,dilation=2)),(3,9),opsets=(9,11,13))
case('chomp',L(lambda s,x:s.c(x)[:,:,:-4]+x,c=nn.Conv1d(3,3,3,dilation=2,padding=4)),(3,9),opsets=(9,11,13))
case('gated',L(lambda s,x:torch.tanh(s.a(x))*torch.sigmoid(s.b(x)),a=nn.Conv1d(3,4,3),b=nn.Conv1d(3,4,3)),(3,9),opsets=(9,13))
case('densenet',L(lambda s,x:(lambda y:torch.cat([y,F.relu(s.b(y))],1))(torch.cat([x,F.relu(s.a(x))],1)),a=nn.Conv2d(3,4,3,padding=1),b=nn.Conv2d(7,4,3,padding=1)),(3,6,6),opsets=(9,13))
case('cbam',L(lambda s,x:x*torch.sigmoid(s.c(torch.cat([x.mean(1,keepdim=True),x.max(1,keepdim=True)[0]],1))),c=nn.Conv2d(2,1,3,padding=1)),(3,6,6),opsets=(9,13))
case('bn2_first',S(nn.BatchNorm2d(3),nn.Conv2d(3,4,3),nn.ReLU(),nn.MaxPool2d(2),nn.Flatten(),nn.BatchNorm1d(16),nn.Linear(16,2)),(3,6,6),opsets=A)
case('flat_ln',S(nn.Conv2d(3,4,3),nn.Flatten(),nn.LayerNorm(64),nn.Linear(64,2)),(3,6,6),opsets=(13,17))
case('flat_scale',L(lambda s,x:s.l(torch.flatten(s.c(x),1)*s.w),c=nn.Conv2d(3,4,3),l=nn.Linear(64,2),w=nn.Parameter(torch.randn(64))),(3,6,6),opsets=(9,13))
case('flat_cat',L(lambda s,x,y:s.l(torch.cat([torch.flatten(s.c(x),1),y],1)),c=nn.Conv2d(3,4,3),l=nn.Linear(67,2)),(3,6,6),(3,),opsets=(9,13))
case('flat_split',L(lambda s,x:s.l(torch.flatten(s.c(x),1)[:,:40]),c=nn.Conv2d(3,4,3),l=nn.Linear(40,2)),(3,6,6),opsets=(9,13))
case('seq_lastaxis',L(lambda s,x:s.l(x.permute(0,2,3,1)).permute(0,3,1,2),l=nn.Linear(3,4)),(3,6,6),opsets=(9,13))
case('convnext',L(lambda s,x:x+s.p2(F.gelu(s.p1(s.n(s.d(x).permute(0,2,3,1))))).permute(0,3,1,2),d=nn.Conv2d(4,4,3,padding=1,groups=4),n=nn.LayerNorm(4),p1=nn.Linear(4,8),p2=nn.Linear(8,4)),(4,6,6),opsets=(13,17))
case('gru2bi',L(lambda s,x:s.l(s.r(x)[0].mean(1)),r=nn.GRU(5,4,2,batch_first=True,bidirectional=True),l=nn.Linear(8,2)),(6,5),opsets=(9,13))
case('lstm_both',L(lambda s,x:(lambda r:s.l(r[0][:,0])+s.l(r[1][0][-1]))(s.r(x)),r=nn.LSTM(5,4,batch_first=True),l=nn.Linear(4,2)),(6,5),opsets=(9,13))
case('te2',nn.TransformerEncoder(nn.TransformerEncoderLayer(8,2,16,batch_first=True),2),(5,8),opsets=(13,))
case('mhamean',L(lambda s,x:s.l(s.m(x,x,x)[0].mean(1)),m=nn.MultiheadAttention(8,2,batch_first=True),l=nn.Linear(8,3)),(5,8),opsets=(13,))
case('softmax_c',S(nn.Conv2d(3,4,3),nn.Softmax(1)),(3,6,6),opsets=(9,13))
case('softmax2d',S(nn.Conv2d(3,4,3),nn.Softmax2d()),(3,6,6),opsets=(13,))
case('einsum3',L(lambda s,x:torch.einsum('nctv,vw->nctw',x,s.w),w=nn.Parameter(torch.randn(5,5))),(3,4,5),opsets=(12,13))
case('gcn',L(lambda s,x:F.relu(torch.matmul(s.a,s.l(x))),a=nn.Parameter(torch.randn(5,5)),l=nn.Linear(3,4)),(5,3),opsets=(9,13))
case('interaction',L(lambda s,x:s.l(torch.cat([x.unsqueeze(2).expand(-1,-1,4,-1),x.unsqueeze(1).expand(-1,4,-1,-1)],-1)).sum(2),l=nn.Linear(6,5)),(4,3),opsets=(9,11,13))
case('in_net',L(lambda s,x:s.l(torch.cat([torch.matmul(x,s.rr),torch.matmul(x,s.rs)],1).transpose(1,2)),rr=nn.Parameter(torch.randn(5,8)),rs=nn.Parameter(torch.randn(5,8)),l=nn.Linear(6,4)),(3,5),opsets=(9,13))

def channels_last(a):
    return np.moveaxis(a, 1, -1) if a.ndim > 2 else a


def predict(cli, path, inputs, folder, last, stem='y'):
    names = []
    for i, x in enumerate(inputs):
        names.append(os.path.join(folder, f'x{i}.npy'))
        np.save(names[-1], np.ascontiguousarray(channels_last(x) if last else x))
    return subprocess.run([cli, 'predict', path, '--inputs', ','.join(names), '--output', os.path.join(folder, stem + '.npy')],
                          capture_output=True, text=True, timeout=120)


def answers(folder, stem, n):
    return [np.load(os.path.join(folder, f'{stem}.npy' if n == 1 else f'{stem}_{i}.npy')) for i in range(n)]


def written_again(cli, folder, arrays, last, n, kept):
    """What is wrong with the network after load, save, load: its answers must have the same bits. In the folder @kept it stays for onnxruntime."""
    path, back = os.path.join(folder, 'net.onnx'), os.path.join(folder, 'back.onnx')
    done = subprocess.run([cli, 'export', path, '--model', back], capture_output=True, text=True, timeout=120)
    if done.returncode != 0:
        return 'not written: ' + done.stderr.strip()
    done = predict(cli, back, arrays, folder, last, 'z')
    if done.returncode != 0:
        return 'not read again: ' + done.stderr.strip()
    first, second = answers(folder, 'y', n), answers(folder, 'z', n)
    os.makedirs(kept)
    shutil.copy(back, os.path.join(kept, 'model.onnx'))
    for i in range(len(arrays)):
        shutil.copy(os.path.join(folder, f'x{i}.npy'), os.path.join(kept, f'input_{i}.npy'))
    for i, y in enumerate(first):
        np.save(os.path.join(kept, f'output_{i}.npy'), y)
    for a, b in zip(first, second):
        if a.shape != b.shape or a.tobytes() != b.tobytes():
            worst = np.abs(a.astype(float) - b).max() if a.shape == b.shape else float('nan')
            return f'not the same bits after it was written and read again: {worst:.1e}'
    return ''


def check(cli, folder, net, shapes, opset, is_open, ints, kept):
    """None where PyTorch cannot export it, an empty text where all agrees, otherwise what does not."""
    net.eval()
    n = 3 if is_open else 1
    xs = [torch.randint(0, ints, (n,) + s) if ints else torch.randn((n,) + s) for s in shapes]
    with torch.no_grad():
        ys = net(*xs)
    ys = (ys,) if isinstance(ys, torch.Tensor) else ys
    path = os.path.join(folder, 'net.onnx')
    inputs, outputs = [f'x{i}' for i in range(len(xs))], [f'y{i}' for i in range(len(ys))]
    axes = {name: {0: 'N'} for name in inputs + outputs} if is_open else None
    try:
        torch.onnx.export(net, tuple(xs), path, opset_version=opset, input_names=inputs, output_names=outputs, dynamic_axes=axes)
    except Exception:
        return None
    arrays = [x.numpy().astype(np.int64 if ints else np.float32) for x in xs]
    for last in (False, True):
        done = predict(cli, path, arrays, folder, last)
        if done.returncode == 0:
            break
    if done.returncode != 0:
        return done.stderr.strip()
    for i, y in enumerate(ys):
        y = y.double().numpy()
        o = np.load(os.path.join(folder, 'y.npy' if len(ys) == 1 else f'y_{i}.npy'))
        if y.ndim < 2 and o.shape[1:] == (1,) and o.size == y.size:
            o = o.reshape(y.shape)  # a number for each sample has an axis of its own
        if o.shape != y.shape:
            return f'shape {o.shape} for {y.shape}'
        error = np.abs(o - y).max() / max(1e-6, np.abs(y).max())
        if not error <= TOLERANCE:
            return f'differs by {error:.1e}'
    return written_again(cli, folder, arrays, last, len(ys), kept) if kept else ''


def in_onnxruntime(kept, number):
    """The networks that were written, in another runtime; how many lines there are then. Nothing where that is missing."""
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'onnxruntime.mjs')
    if not shutil.which('node') or not os.listdir(kept):
        return number
    done = subprocess.run(['node', script, kept], capture_output=True, text=True)
    if done.returncode == 77:
        print('# onnxruntime-node is not here: what is written is not tried in it')
        return number
    for line in done.stdout.splitlines():
        found = re.match('(ok|not ok) \\d+ - (.*)', line)
        if found:
            number += 1
            print(found[1], number, 'in onnxruntime:', found[2].replace('#', ','))
    return number


def main():
    cli, wanted, number = sys.argv[1], os.environ.get('ESPALIER_CASES', ''), 0
    with tempfile.TemporaryDirectory() as folder:
        kept = os.environ.get('ESPALIER_ONNX_FOLDER') or os.path.join(folder, 'kept')
        os.makedirs(kept, exist_ok=True)
        for name, net, shapes, opsets, ints in cases:
            for opset, is_open in itertools.product(opsets, (True, False)):
                if (not is_open and opset != 13) or not re.search(wanted, name):
                    continue
                # each network is written once: from one operator set, its batch open
                once = os.path.join(kept, name) if is_open and opset == (13 if 13 in opsets else opsets[-1]) else None
                result = check(cli, folder, net, shapes, opset, is_open, ints, once)
                if result is None:
                    continue
                number += 1
                print('ok' if result == '' else 'not ok', number, f'{name}, operator set {opset},', 'open batch' if is_open else 'one sample',
                      flush=True)
                if result:
                    print('#', result.replace('\n', ' '))
        number = in_onnxruntime(kept, number)
    print(f'1..{number}')


main()
