# References for senexo.assays.expression, made with R 4.2.2, limma 3.54.1, DESeq2 1.38.3 (Debian r-base-core,
# r-bioc-limma, r-bioc-deseq2, r-cran-jsonlite):
#   Rscript expression.R > expression.json
# Inputs (samples in columns, RNAs in rows) are printed beside the answers, 15 significant digits.
suppressMessages({library(limma); library(DESeq2); library(jsonlite)})
set.seed(20180515)
out <- list()
top <- function(fit, coef) {
  full <- topTable(fit, coef = coef, number = Inf, sort.by = "none", confint = TRUE)
  list(effect = full$logFC, low = full$CI.L, high = full$CI.R, t = full$t, p = full$P.Value, bh = full$adj.P.Val,
       df = fit$df.total, s2_post = fit$s2.post, s2_prior = fit$s2.prior,
       df_prior = if (is.finite(fit$df.prior)) fit$df.prior else "infinite")
}
limma_case <- function(y, group, donor = NULL) {
  design <- if (is.null(donor)) model.matrix(~group) else model.matrix(~ donor + group)
  c(list(y = y, group = as.character(group), donor = if (is.null(donor)) NULL else as.character(donor)),
    top(eBayes(suppressWarnings(lmFit(y, design))), ncol(design)))
}
two <- function(n, m) factor(rep(c("control", "case"), c(n, m)), levels = c("control", "case"))

# variances that differ between RNAs (finite prior), a few true effects
sd <- sqrt(0.3 / rchisq(40, 5) * 5)
y <- matrix(rnorm(40 * 9, 8, sd), 40); y[1:5, 6:9] <- y[1:5, 6:9] + 1.5
out$limma_unpaired <- limma_case(round(y, 4), two(5, 4))

# pairs by donor
donor <- factor(rep(c("a", "b", "c", "d", "e"), 2))
y <- matrix(rnorm(30 * 10, 7, sqrt(0.2 / rchisq(30, 4) * 4)), 30) + matrix(rnorm(30 * 5, 0, 1.2), 30)[, rep(1:5, 2)]
y[1:4, 6:10] <- y[1:4, 6:10] - 1
out$limma_paired <- limma_case(round(y, 4), two(5, 5), donor)

# missing values: RNAs with different degrees of freedom, unpaired and paired
y <- matrix(rnorm(25 * 10, 6, sqrt(0.5 / rchisq(25, 3) * 3)), 25); y[sample(250, 40)] <- NA
out$limma_missing <- limma_case(round(y, 4), two(5, 5))
out$limma_missing_paired <- limma_case(round(y, 4), two(5, 5), donor)

# one variance for all: the prior is infinite
y <- matrix(rep(c(1, -1, 2, -2, 0.5, -0.5), each = 6) * rep(c(1, 1.02, 0.98, 1.01, 0.99, 1), 6), 6) + 5
out$limma_one_variance <- limma_case(round(y, 4), two(3, 3))

# trigamma inverse, Benjamini-Hochberg
x <- c(1e-8, 0.001, 0.25, 1, 7, 4000, 1e8)
out$trigamma_inverse <- list(x = x, y = trigammaInverse(x))
p <- c(0.001, 0.8, 0.03, NA, 0.02, 0.02, 0.5, 0.0004)
out$p_adjust_bh <- list(p = p, bh = p.adjust(p, "BH"))

# counts
nb <- function(genes, n, cv, donor_sd = 0) {
  mu <- exp(runif(genes, 2.5, 8)); disp <- (cv + 2 / mu) * exp(rnorm(genes, 0, 0.4)); depth <- exp(rnorm(2 * n, 0, 0.3))
  mean <- outer(mu, depth) * exp(matrix(rnorm(genes * n, 0, donor_sd), genes)[, rep(seq_len(n), 2)])
  change <- rep(1, genes); change[1:10] <- c(4, 3, 2.5, 2, 0.5, 0.4, 0.3, 0.25, 5, 0.2)
  mean[, n + seq_len(n)] <- mean[, n + seq_len(n)] * change
  counts <- matrix(rnbinom(2 * n * genes, mu = mean, size = 1 / disp), genes)
  counts[rowMeans(counts >= 3) >= 0.5, ]
}
deseq_case <- function(counts, donor = NULL, type = "ratio") {
  n <- ncol(counts) / 2
  data <- data.frame(group = two(n, n)); design <- ~group
  if (!is.null(donor)) { data$donor <- donor; design <- ~ donor + group }
  dds <- DESeqDataSetFromMatrix(counts, data, design)
  dds <- suppressMessages(DESeq(dds, quiet = TRUE, sfType = type))
  res <- results(dds, independentFiltering = FALSE)
  list(counts = counts, group = as.character(data$group), donor = if (is.null(donor)) NULL else as.character(donor),
       size_factors = unname(sizeFactors(dds)), dispersion = dispersions(dds), mean = res$baseMean,
       log2_fold = res$log2FoldChange, error = res$lfcSE, statistic = res$stat, p = res$pvalue, bh = res$padj,
       prior_variance = attr(dispersionFunction(dds), "dispPriorVar"))
}
out$deseq_unpaired <- deseq_case(nb(120, 5, 0.1))
out$deseq_paired <- deseq_case(nb(120, 6, 0.1, 0.7), factor(rep(letters[1:6], 2)))
out$deseq_outlier <- {counts <- nb(100, 4, 0.1); counts[20, 3] <- 60000L; deseq_case(counts)}
counts <- nb(60, 4, 0.15); for (i in seq_len(nrow(counts))) counts[i, 1 + i %% 8] <- 0L
out$deseq_poscounts <- deseq_case(counts, type = "poscounts")

cat(toJSON(out, digits = I(15), auto_unbox = FALSE, na = "null", matrix = "rowmajor", null = "null"), "\n")
