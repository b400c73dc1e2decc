/**
 * Variables that change what a program does more than its arguments do: what it loads or runs
 * besides, what it adds to its arguments, and which account, cluster or server it goes to.
 */
const TELLING = new RegExp(
  `^(?:${
    [
      ...["GIT_.*", "LD_.*", "GCONV_PATH", "BASH_ENV", "ENV", "BASH_FUNC_.*", "ZDOTDIR"],
      ...["PYTHON.*", "NODE_OPTIONS", "NODE_PATH", "PERL5.*", "RUBYOPT", "RUBYLIB"],
      ...["JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "DOTNET_STARTUP_HOOKS"],
      ...["MAKEFLAGS", "TAR_OPTIONS", "RSYNC_RSH", "LESSOPEN", "TF_CLI_ARGS.*"],
      ...["TF_WORKSPACE", "TF_DATA_DIR", "KUBECONFIG", "HELM_KUBE.*", "HELM_NAMESPACE"],
      ...["DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST"],
      ...["AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_(?:DEFAULT_)?REGION", "AWS_CONFIG_FILE"],
      ...["AWS_SHARED_CREDENTIALS_FILE", "AWS_ENDPOINT_URL.*", "CLOUDSDK_.*", "GH_HOST", "GH_REPO"],
      ...["PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSERVICE", "PGSERVICEFILE", "MYSQL_HOST"],
    ].join("|")
  })$`,
);

/** Whether a variable of this name is part of what an execution is. */
export function isTelling(name: string): boolean {
  return TELLING.test(name);
}
